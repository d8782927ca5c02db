"""A decoder-only transformer as the engine's config describes it, as modules: norms layer, rms or none, positions learned, rotary or none, grouped
queries, gelu, relu or gated MLPs, masks by role. `blocks[l].hook_z` takes forward hooks (head output before W_O, [B, H, T, d_head]); rivals that
begin in its midst call the steps of a block by name. Steps take residuals [B, T', D] of the positions from `first` on.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

HIDDEN = -1e9
ACTIVATIONS = {
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu-gated": F.silu,
}


class RootMeanSquareNorm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(width)), epsilon

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def norm_of(config, width, part, name):
    kind, epsilon = config.get("normalisation", "layer"), config.get("epsilon", 1e-5)
    if kind == "none":
        return nn.Identity()
    norm = nn.LayerNorm(width, epsilon) if kind == "layer" else RootMeanSquareNorm(width, epsilon)
    norm.weight.data = part(f"{name}.w")
    if kind == "layer":
        norm.bias.data = part(f"{name}.b", torch.zeros(width))
    return norm


def linear_of(weight, bias):
    """Of a weight [in, out]."""
    linear = nn.Linear(*weight.shape, bias=bias is not None)
    linear.weight.data = weight.t().contiguous()
    if bias is not None:
        linear.bias.data = bias
    return linear


def rotated(x, cosine, sine):
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat([-second, first], -1) * sine


class Block(nn.Module):
    def __init__(self, config, layer, part, length, rotation):
        super().__init__()
        self.width, self.heads = config["width"], config["heads"]
        self.head_width = config.get("headWidth", self.width // self.heads)
        self.groups = config.get("keyValueHeads", self.heads)
        self.repeats = self.heads // self.groups
        self.scale = config.get("scale", 1 / math.sqrt(self.head_width))
        self.rotation = rotation
        self.ln1, self.ln2 = (norm_of(config, self.width, part, name) for name in ("ln1", "ln2"))
        joined = [part(f"attn.{letter}_QKV", None) for letter in "Wb"]
        if joined[0] is None:
            joined[0] = torch.cat([part(f"attn.W_{letter}") for letter in "QKV"], 1)
            if part("attn.b_Q", None) is not None:
                joined[1] = torch.cat([part(f"attn.b_{letter}") for letter in "QKV"])
        self.qkv = linear_of(*joined)
        self.o = linear_of(part("attn.W_O"), part("attn.b_O", None))
        self.gated = config.get("activation", "gelu") == "silu-gated"
        self.activation = ACTIVATIONS[config.get("activation", "gelu")]
        if self.gated:
            self.mlp_gate = linear_of(part("mlp.W_gate"), part("mlp.b_gate", None))
        self.mlp_in = linear_of(part("mlp.W_in"), part("mlp.b_in", None))
        self.mlp_out = linear_of(part("mlp.W_out"), part("mlp.b_out", None))
        self.hook_z = nn.Identity()
        roles = config.get("rolesOfPositions")
        writes = config["writes"][layer] if roles is not None and config.get("writes") else None
        flags = lambda name: None if writes is None or all(writes[name]) else torch.tensor(writes[name], dtype=torch.float32)[roles][:, None]
        self.attention_writes, self.mlp_writes = flags("attention"), flags("mlp")

    def heads_of(self, x, count, first, turned):
        """[B, T', count·d_head] → [B, count, T', d_head], turned by the angles of its positions where positions are rotary."""
        x = x.unflatten(-1, (count, self.head_width)).transpose(1, 2)
        if not turned or self.rotation is None:
            return x.contiguous()
        cosine, sine = (table[first : first + x.shape[2]] for table in self.rotation)
        return rotated(x, cosine, sine)

    def project(self, x, first=0):
        """q [B, H, T', d_head], k and v [B, groups, T', d_head] of a normalised residual."""
        joined = self.qkv(x)
        if self.repeats == 1 and self.rotation is None:
            return joined.unflatten(-1, (3, self.heads, self.head_width)).permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        q, k, v = joined.split([count * self.head_width for count in (self.heads, self.groups, self.groups)], -1)
        return self.heads_of(q, self.heads, first, True), self.heads_of(k, self.groups, first, True), self.heads_of(v, self.groups, first, False)

    def part_of_projection(self, x, begin, end):
        bias = self.qkv.bias
        return F.linear(x, self.qkv.weight[begin:end], None if bias is None else bias[begin:end])

    def queries(self, x, first):
        return self.heads_of(self.part_of_projection(x, 0, self.heads * self.head_width), self.heads, first, True)

    def keys_and_values(self, x, first):
        own, count = self.heads * self.head_width, self.groups * self.head_width
        k, v = self.part_of_projection(x, own, own + 2 * count).split(count, -1)
        return self.heads_of(k, self.groups, first, True), self.heads_of(v, self.groups, first, False)

    def attend(self, q, k, v, mask):
        """z [B, H, T', d_head]; the mask is [T', T] or, where roles hide keys, [H, T', T]."""
        if self.repeats > 1:
            k, v = (x.repeat_interleave(self.repeats, 1) for x in (k, v))
        if mask.dim() == 3:
            pattern = torch.softmax(torch.matmul(q, k.transpose(2, 3)) * self.scale + mask, -1)
            return torch.matmul(pattern, v)
        q, k, v = (x.flatten(0, 1) for x in (q, k, v))
        pattern = torch.softmax(torch.baddbmm(mask, q, k.transpose(1, 2), alpha=self.scale), -1)
        return torch.bmm(pattern, v).unflatten(0, (-1, self.heads))

    def close(self, x, z, first=0):
        """The residual after attention."""
        given = self.o(z.transpose(1, 2).flatten(2))
        return x + given if self.attention_writes is None else x + given * self.attention_writes[first : first + x.shape[1]]

    def give(self, x, first=0):
        """The residual after the MLP; x [.., T', D]."""
        normal = self.ln2(x)
        hidden = self.activation(self.mlp_gate(normal)) * self.mlp_in(normal) if self.gated else self.activation(self.mlp_in(normal))
        given = self.mlp_out(hidden)
        return x + given if self.mlp_writes is None else x + given * self.mlp_writes[first : first + x.shape[-2]]

    def forward(self, x, mask):
        z = self.hook_z(self.attend(*self.project(self.ln1(x)), mask))
        return self.give(self.close(x, z))


class Decoder(nn.Module):
    """@param config sizes, `options` beyond them, `length` of the prompts where it is not `positions`"""

    def __init__(self, weights, config, last_logits=False):
        super().__init__()
        options = config.get("options", {})
        unknown = [name for name in ("headGate", "experts", "exit") if options.get(name)]
        if unknown:
            raise ValueError(f"decoder: options must be among those written here, got {', '.join(unknown)}")
        config = {**config, **options}
        if "roles" in weights:
            config["rolesOfPositions"] = weights["roles"]
        self.length = config.get("length", config["positions"])
        self.last_logits = last_logits
        self.embed = nn.Embedding.from_pretrained(weights["embed.W_E"])
        positional = config.get("positional", {"kind": "learned"})
        self.position_embed = weights["pos_embed.W_pos"][: self.length] if positional["kind"] == "learned" else None
        rotation = self.rotation_of(config, positional) if positional["kind"] == "rotary" else None
        part_of = lambda layer: lambda name, *default: weights.get(f"blocks.{layer}.{name}", *default) if default else weights[f"blocks.{layer}.{name}"]
        self.blocks = nn.ModuleList(Block(config, layer, part_of(layer), self.length, rotation) for layer in range(config["layers"]))
        self.masks = [self.mask_of(config, layer) for layer in range(config["layers"])]
        self.ln_final = norm_of(config, config["width"], lambda name, *default: weights.get(name, *default), "ln_final")
        self.unembed = linear_of(weights["embed.W_E"].t() if options.get("tied") else weights["unembed.W_U"], None)
        self.requires_grad_(False).eval()

    def rotation_of(self, config, positional):
        if positional.get("scaling"):
            raise ValueError("decoder: rotary positions must be without scaling")
        half = config.get("headWidth", config["width"] // config["heads"]) // 2
        frequencies = torch.tensor([positional["base"] ** (-(i % half) / half) for i in range(2 * half)])
        angles = torch.arange(self.length)[:, None] * frequencies
        return angles.cos(), angles.sin()

    def mask_of(self, config, layer):
        mask = torch.full((self.length, self.length), HIDDEN).triu(1)
        reads, roles = config.get("reads"), config.get("rolesOfPositions")
        if reads is None or roles is None:
            return mask
        sees = torch.tensor(reads[layer])[:, roles][:, :, roles]
        return mask if sees.all() else mask + torch.where(sees, 0.0, HIDDEN)

    def embedded(self, tokens, first=0):
        x = self.embed(tokens)
        return x if self.position_embed is None else x + self.position_embed[first : first + tokens.shape[1]]

    def forward(self, tokens):
        """Logits [B, T, V], or [B, 1, V] of the last position alone where `last_logits` was asked for."""
        x = self.embedded(tokens)
        for block, mask in zip(self.blocks, self.masks):
            x = block(x, mask)
        if self.last_logits:
            x = x[:, -1:]
        return self.unembed(self.ln_final(x))
