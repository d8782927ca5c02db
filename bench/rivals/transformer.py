"""The pre-LN transformer of both transformer suites and of the sweep, in the two ways PyTorch is written."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

EPSILON = 1e-5
BLOCK = ("ln1.w", "ln1.b", "attn.W_QKV", "attn.b_QKV", "attn.W_O", "attn.b_O", "ln2.w", "ln2.b", "mlp.W_in", "mlp.b_in", "mlp.W_out", "mlp.b_out")


def names(layers):
    return (
        ["embed.W_E", "pos_embed.W_pos"]
        + [f"blocks.{layer}.{name}" for layer in range(layers) for name in BLOCK]
        + ["ln_final.w", "ln_final.b", "unembed.W_U"]
    )


def causal_mask(positions):
    return torch.full((positions, positions), -1e9).triu(1)


def functional_forward(weights, config):
    """tokens [B, T] → logits [B*T, V], without nn.Module: nothing between the operations but Python's own calls."""
    positions, width, heads, layers = config["positions"], config["width"], config["heads"], config["layers"]
    head_width = width // heads
    scale = 1 / math.sqrt(head_width)
    mask = causal_mask(positions)
    shape = (width,)
    flat = [weights[name] for name in names(layers)]
    embed, position_embed = flat[0], flat[1]
    blocks = [flat[2 + len(BLOCK) * layer : 2 + len(BLOCK) * (layer + 1)] for layer in range(layers)]
    final_w, final_b, unembed = flat[-3:]
    layer_norm, addmm, bmm, gelu, softmax = F.layer_norm, torch.addmm, torch.bmm, F.gelu, torch.softmax

    def forward(tokens):
        batch = tokens.shape[0]
        x = (F.embedding(tokens, embed) + position_embed).view(-1, width)
        for ln1_w, ln1_b, w_qkv, b_qkv, w_o, b_o, ln2_w, ln2_b, w_in, b_in, w_out, b_out in blocks:
            qkv = addmm(b_qkv, layer_norm(x, shape, ln1_w, ln1_b, EPSILON), w_qkv)
            qkv = qkv.view(batch, positions, 3, heads, head_width).permute(2, 0, 3, 1, 4).reshape(3, batch * heads, positions, head_width)
            q, k, v = qkv.unbind(0)
            pattern = softmax(torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scale), -1)
            z = bmm(pattern, v).view(batch, heads, positions, head_width).transpose(1, 2).reshape(-1, width)
            x = x + addmm(b_o, z, w_o)
            hidden = gelu(addmm(b_in, layer_norm(x, shape, ln2_w, ln2_b, EPSILON), w_in), approximate="tanh")
            x = x + addmm(b_out, hidden, w_out)
        return layer_norm(x, shape, final_w, final_b, EPSILON) @ unembed

    return forward


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, self.heads = config["width"], config["heads"]
        self.ln1, self.ln2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.qkv, self.o = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp_in, self.mlp_out = nn.Linear(width, config["mlp"]), nn.Linear(config["mlp"], width)
        self.hook_z = nn.Identity()
        self.scale = 1 / math.sqrt(width // self.heads)

    def forward(self, x, mask):
        batch, positions, width = x.shape
        qkv = self.qkv(self.ln1(x)).view(batch, positions, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, batch * self.heads, positions, -1).unbind(0)
        pattern = torch.softmax(torch.baddbmm(mask, q, k.transpose(1, 2), alpha=self.scale), -1)
        z = self.hook_z(torch.bmm(pattern, v).view(batch, self.heads, positions, -1))
        x = x + self.o(z.transpose(1, 2).reshape(batch, positions, width))
        return x + self.mlp_out(F.gelu(self.mlp_in(self.ln2(x)), approximate="tanh"))


class Transformer(nn.Module):
    """The same as modules, for forward hooks on `blocks[l].hook_z` (head output before W_O, [B, H, T, d_head])."""

    def __init__(self, weights, config, last_logits=False):
        super().__init__()
        self.embed = nn.Embedding.from_pretrained(weights["embed.W_E"])
        self.position_embed = nn.Parameter(weights["pos_embed.W_pos"])
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["layers"]))
        self.ln_final = nn.LayerNorm(config["width"], EPSILON)
        self.unembed = nn.Linear(config["width"], config["vocabulary"], bias=False)
        self.register_buffer("mask", causal_mask(config["positions"]))
        self.last_logits = last_logits
        with torch.no_grad():
            for layer, block in enumerate(self.blocks):
                part = lambda name: weights[f"blocks.{layer}.{name}"]
                for norm, name in ((block.ln1, "ln1"), (block.ln2, "ln2")):
                    norm.weight.copy_(part(f"{name}.w"))
                    norm.bias.copy_(part(f"{name}.b"))
                linears = (block.qkv, "attn", "QKV"), (block.o, "attn", "O"), (block.mlp_in, "mlp", "in"), (block.mlp_out, "mlp", "out")
                for linear, owner, name in linears:
                    linear.weight.copy_(part(f"{owner}.W_{name}").T)
                    linear.bias.copy_(part(f"{owner}.b_{name}"))
            self.ln_final.weight.copy_(weights["ln_final.w"])
            self.ln_final.bias.copy_(weights["ln_final.b"])
            self.unembed.weight.copy_(weights["unembed.W_U"].T)

    def forward(self, tokens):
        """Logits [B, T, V], or [B, 1, V] of the last position alone where `last_logits` was asked for."""
        x = self.embed(tokens) + self.position_embed
        for block in self.blocks:
            x = block(x, self.mask)
        if self.last_logits:
            x = x[:, -1:]
        return self.unembed(self.ln_final(x))
