"""S: the causal suffix written by hand for screens of heads, with everything exact reuse gives.

Clean and donor runs go as far as they must: of the last layer keys and values, and one query; of the donor only positions from the divergence on. All
cells of one position go through the layers together, every layer adding its heads as branches, which share the clean keys and values before that
position. What a swap does to the residual is one product, (z_donor − z_clean) W_O[head]. One layer on it differs at its own position only ("fresh"), so
that attention of the later positions is the clean one merged with one new key; from there on everywhere ("wide"). The figure takes one dot product.
Cells that cannot matter (before the divergence; of the last layer before the last position) are not run. Pairs go in chunks that fit the cache.

Shapes: S branches, N pairs of the chunk, Q positions of a branch, H heads, G groups of keys (H = G·R), T positions, D width, d of a head.
"""
import torch

from screens import Screen


class Run:
    """What is kept of the unchanged run: lists by layer. z and mid may hold only the last positions: they are counted from the end."""

    def __init__(self):
        self.pre, self.q, self.k, self.v, self.z, self.mid = [], [], [], [], [], []
        self.figures = None


class Suffix(Screen):
    #: Of a chunk at the most: beyond these nothing stays in any cache.
    MOST_POSITIONS = 4096

    def __init__(self, *arguments):
        super().__init__(*arguments)
        most = min(self.pairs, max(4, self.MOST_POSITIONS // self.length))
        self.sizes = tuple(size for size in (4, 8, 16, 32, 64) if size < most) + (most,)
        self.size = self.sizes[-1]
        head = self.model.blocks[0].head_width
        self.by_head = [block.o.weight.t().unflatten(0, (self.heads, head)).contiguous() for block in self.model.blocks]  # [H, d, D]
        self.kept = {}

    def chunks(self):
        return [slice(start, min(start + self.size, self.pairs)) for start in range(0, self.pairs, self.size)]

    def direction(self, rows):
        weight = self.model.unembed.weight
        return weight[self.a[rows]] - weight[self.b[rows]]

    def figure(self, x, rows):
        """x [S, N, D] at the last position."""
        return (self.model.ln_final(x) * self.direction(rows)).sum(-1)

    def unchanged(self, tokens, rows, past=None, begin=0):
        """The run of these prompts from `begin` on; keys and values before it are those of another run that is alike there."""
        kept = Run()
        x = self.model.embedded(tokens[rows, begin:], begin)
        last = self.length - 1
        for layer, (block, mask) in enumerate(zip(self.model.blocks, self.model.masks)):
            kept.pre.append(x)
            normal = block.ln1(x)
            only = layer == self.layers - 1
            if only:
                q = block.queries(normal[:, -1:], last)
                k, v = block.keys_and_values(normal, begin)
                x = x[:, -1:]
            else:
                q, k, v = block.project(normal, begin)
            if begin:
                k, v = torch.cat([past.k[layer][:, :, :begin], k], 2), torch.cat([past.v[layer][:, :, :begin], v], 2)
            first = last if only else begin
            z = block.attend(q, k, v, mask[..., first:, :])
            mid = block.close(x, z, first)
            x = block.give(mid, first)
            for name, value in (("q", q), ("k", k), ("v", v), ("z", z), ("mid", mid)):
                getattr(kept, name).append(value)
        kept.figures = self.figure(x[:, -1], rows)
        return kept

    def begin(self, base, donor):
        """Of a second screen on the same prompts, both runs; otherwise each chunk makes them when it needs them."""
        if not self.keeps:
            return self.tokens[donor]
        for arm in (base, donor):
            if (arm, self.size) not in self.kept:
                self.kept[arm, self.size] = [self.unchanged(self.tokens[arm], rows) for rows in self.chunks()]
        return self.kept[donor, self.size]

    def run(self, begun, base, cells):
        out = torch.empty(self.layers, self.heads, len(self.swept), self.pairs)
        for number, rows in enumerate(self.chunks()):
            if self.keeps:
                clean, donor = self.kept[base, self.size][number], begun[number]
            else:
                clean = self.unchanged(self.tokens[base], rows)
                shared = min(self.divergence, self.length - 1)
                donor = self.unchanged(begun, rows, clean, shared)
            out[..., rows] = clean.figures
            for place, position in enumerate(self.swept):
                if position >= self.divergence and (self.layers > 1 or position == self.length - 1):
                    self.branches(clean, donor, position, rows, out[:, :, place, rows])
        return out.flatten(0, 2)

    def branches(self, clean, donor, position, rows, out):
        """All cells of one position; out [L, H, N]."""
        last = self.length - 1
        back = position - self.length
        fresh = wide = None
        for layer, block in enumerate(self.model.blocks):
            only = layer == self.layers - 1
            first = last if only else position
            carried = []
            if wide is not None:
                carried.append(self.attend_wide(layer, block, clean, wide, position, first))
            if fresh is not None:
                carried.append(self.attend_fresh(layer, block, clean, fresh, position, first))
            if position == last or not only:
                moved = torch.bmm((donor.z[layer][:, :, back] - clean.z[layer][:, :, back]).transpose(0, 1), self.by_head[layer])
                if block.attention_writes is not None:
                    moved = moved * block.attention_writes[position]
                begun = (clean.mid[layer][:, back] + moved)[:, :, None]  # [H, N, 1, D]
                if position == last:
                    carried.append(begun)
                else:
                    fresh = self.after_mlp(block, begun, position)
            wide = self.after_mlp(block, carried[0] if len(carried) == 1 else torch.cat(carried), first) if carried else None
        figures = self.figure(wide[:, :, -1], rows)
        out.flatten(0, 1)[: len(figures)] = figures

    def after_mlp(self, block, x, first):
        """x [S, N, Q, D], as rank 3: that is what PyTorch multiplies and adds the bias of in one call."""
        return block.give(x.flatten(0, 1), first).unflatten(0, x.shape[:2])

    def attend_wide(self, layer, block, clean, x, position, first):
        """x [S, N, Q, D] from `position` on; the residual after attention from `first` on."""
        count, pairs = x.shape[:2]
        rows = x.flatten(0, 1)
        normal = block.ln1(rows)
        if first == position:
            q, k, v = block.project(normal, position)
        else:
            q, rows = block.queries(normal[:, -1:], first), rows[:, -1:]
            k, v = block.keys_and_values(normal, position)
        q, k, v = (part.unflatten(0, (count, pairs)) for part in (q, k, v))
        z = self.mix(layer, block, clean, q, k, v, position, first)
        return block.close(rows, z, first).unflatten(0, (count, pairs))

    def mix(self, layer, block, clean, q, k, v, position, first):
        """z [S·N, H, Q', d]: clean keys before the position, a branch's own [S, N, G, Q, d] from there on."""
        count, pairs, groups, own, width = k.shape
        asked = block.repeats * q.shape[3]
        queries = q.reshape(count, pairs, groups, asked, width)
        together = queries.permute(1, 2, 0, 3, 4).reshape(pairs * groups, count * asked, width)
        before_k, before_v = (x[layer].flatten(0, 1)[:, :position] for x in (clean.k, clean.v))
        scores = torch.bmm(together, before_k.transpose(1, 2)).unflatten(1, (count, asked))
        single = own == 1
        if single:  # a product of so few numbers costs more to call than to compute
            selves = (queries * k).sum(-1, keepdim=True)
        else:
            selves = torch.bmm(queries.flatten(0, 2), k.flatten(0, 2).transpose(1, 2)).unflatten(0, (count, pairs, groups))
        scores = torch.cat([scores, selves.permute(1, 2, 0, 3, 4).reshape(pairs * groups, count, asked, own)], -1).mul_(block.scale)
        mask = self.model.masks[layer]
        if mask.dim() == 3:
            mask = mask[:, first : first + q.shape[3], : position + own].reshape(groups, 1, asked, -1)
            scores = (scores.unflatten(0, (pairs, groups)) + mask).flatten(0, 1)
        elif q.shape[3] > 1:
            scores += mask[first : first + q.shape[3], : position + own].repeat(block.repeats, 1)
        pattern = torch.softmax(scores, -1)
        z = torch.bmm(pattern[..., :position].flatten(1, 2), before_v).unflatten(1, (count, asked))
        z = z.unflatten(0, (pairs, groups)).permute(2, 0, 1, 3, 4)
        own_pattern = pattern[..., position:].unflatten(0, (pairs, groups)).permute(2, 0, 1, 3, 4)
        if single:
            z = z + own_pattern * v
        else:
            z = z + torch.bmm(own_pattern.flatten(0, 2), v.flatten(0, 2)).unflatten(0, (count, pairs, groups))
        return z.reshape(count * pairs, self.heads, q.shape[3], width)

    def attend_fresh(self, layer, block, clean, x, position, first):
        """x [S, N, 1, D]: branches that differ at `position` alone; the residual after attention from `first` on, where it may differ anywhere."""
        count, pairs = x.shape[:2]
        rows = x.flatten(0, 1)
        q, k, v = (part.unflatten(0, (count, pairs)) for part in block.project(block.ln1(rows), position))
        later = max(first, position + 1)
        z = self.merge(layer, block, clean, k[:, :, :, 0], v[:, :, :, 0], position, later).flatten(0, 1)
        residual = clean.pre[layer][:, later:].expand(count, -1, -1, -1).flatten(0, 1)
        if first == position:
            z = torch.cat([self.mix(layer, block, clean, q, k, v, position, position), z], 2)
            residual = torch.cat([rows, residual], 1)
        return block.close(residual, z, first).unflatten(0, (count, pairs))

    def merge(self, layer, block, clean, k, v, position, first):
        """z [S, N, H, Q', d] of clean queries from `first` on when the key and value of one position (k, v [S, N, G, d]) are replaced: attention to all
        other keys is the same in every branch, and the new one joins it by its share of the exponentials."""
        count, pairs, groups, width = k.shape
        q = clean.q[layer][:, :, first - self.length :]
        after = q.shape[2]
        queries = q.reshape(pairs * groups, block.repeats * after, width)
        mask = self.model.masks[layer][..., first:, :]
        mask = mask.reshape(groups, -1, self.length) if mask.dim() == 3 else mask.repeat(block.repeats, 1)
        masked = lambda scores, mask: (scores.unflatten(0, (pairs, groups)) + mask).flatten(0, 1)
        scores = masked(torch.bmm(queries, clean.k[layer].flatten(0, 1).transpose(1, 2)) * block.scale, mask)
        scores[..., position] = -torch.inf
        weight = scores.logsumexp(-1, keepdim=True)
        others = torch.bmm((scores - weight).exp_(), clean.v[layer].flatten(0, 1)).reshape(pairs, self.heads, after, width)
        new = torch.bmm(queries, k.permute(1, 2, 3, 0).reshape(pairs * groups, width, count)) * block.scale
        share = torch.sigmoid(masked(new, mask[..., position : position + 1]) - weight)  # [N·G, R·Q', S]
        share = share.reshape(pairs, self.heads, after, count).permute(3, 0, 1, 2)[..., None]
        return torch.lerp(others[None], v.repeat_interleave(block.repeats, 2)[:, :, :, None], share)

    def choose(self, clock):
        super().choose(clock)
        self.kept = {}  # runs in chunks of other sizes

    def try_out(self):
        swept = self.swept
        self.swept = swept[len(swept) % 4 :: 4] if len(swept) > 8 else swept  # sizes do not depend on all positions
        self.run(self.begin("clean", "counterfactual"), "clean", None)
        self.swept = swept
