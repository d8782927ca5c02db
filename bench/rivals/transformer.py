"""The pre-LN transformer of the training suites, as PyTorch is written for speed. What is swept is in decoder.py."""
import math

import torch
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
