"""Screens of heads, or heads × positions, by whole forwards: what every rival has in common, and the two that run the model as it is.

Cells are numbered [layer][head][position]; the figure of a cell is logit[a] − logit[b] at the last position with z of that head at that position
taken from the donor's run. A screen begins with what it needs of either run (`begin`) and then runs its cells (`run`), so that time can be told apart.
"""
from itertools import groupby
from math import gcd

import torch

TRIES = 3


class Screen:
    """@param wanted run so many cells only, spread evenly; all where it is None or the screen is not made of cells"""

    #: Sizes of a piece of work of which the rival takes the one that is fastest here; () where there is nothing to choose.
    sizes = ()
    size = None

    def __init__(self, model, config, tensors, wanted=None):
        self.model, self.layers, self.heads = model, config["layers"], config["heads"]
        self.pairs, self.length = config["pairs"], model.length
        self.tokens = {name: tensors[name] for name in ("clean", "counterfactual")}
        self.a, self.b = tensors["a"], tensors["b"]
        self.rows = torch.arange(self.pairs)
        self.everywhere = config.get("screen") == "positions"
        self.keeps = config.get("screen") == "second"
        self.swept = list(range(self.length)) if self.everywhere else [self.length - 1]
        self.count = self.layers * self.heads * len(self.swept)
        self.chosen = list(range(self.count)) if wanted is None else spread(self.count, wanted)
        # Before this position clean and donor prompts are alike in every pair, and so is all that a causal model makes of them.
        different = (self.tokens["clean"] != self.tokens["counterfactual"]).any(0).nonzero()
        self.divergence = int(different[0]) if len(different) else self.length

    def cell(self, number):
        number, place = divmod(number, len(self.swept))
        return (*divmod(number, self.heads), self.swept[place])

    def difference(self, logits):
        last = logits[:, -1]
        return last[self.rows, self.a] - last[self.rows, self.b]

    def baseline(self, base):
        return self.difference(self.model(self.tokens[base]))

    def begin(self, base, donor):
        raise NotImplementedError

    def run(self, begun, base, cells):
        """Figures [cells, pairs]."""
        raise NotImplementedError

    def choose(self, clock):
        """Takes the fastest of the sizes: the best of several tries counts, taken in turn, so that a slow spell of the machine falls on all of them."""
        best = dict.fromkeys(self.sizes, float("inf"))
        for _ in range(TRIES if len(self.sizes) > 1 else 0):
            for self.size in self.sizes:
                start = clock()
                self.try_out()
                best[self.size] = min(best[self.size], clock() - start)
        if self.sizes:
            self.size = min(best, key=best.get)

    def try_out(self):
        self.run(self.begin("clean", "counterfactual"), "clean", spread(self.count, 16))


def spread(count, wanted):
    """So many numbers below count, ascending, spread evenly over layers, heads and positions alike: steps of the golden section, which are in no time
    with any of them."""
    step = next(step for step in range(max(1, round(count * 0.618)), count + 2) if gcd(step, count) == 1)
    return sorted(i * step % count for i in range(min(wanted, count)))


def hooked(model, tokens, hooks):
    """A forward with a hook on z of some layers. z belongs to this forward alone: a hook may write into it, which saves a copy."""
    handles = [model.blocks[layer].hook_z.register_forward_hook(hook) for layer, hook in hooks.items()]
    logits = model(tokens)
    for handle in handles:
        handle.remove()
    return logits


def outputs_of_heads(model, tokens):
    """z of every layer, by hooks."""
    cache = {}
    keep = lambda layer: lambda _module, _inputs, z: cache.__setitem__(layer, z)
    hooked(model, tokens, {layer: keep(layer) for layer in range(len(model.blocks))})
    return cache


class Hooks(Screen):
    """A: one hooked forward of all pairs for each cell."""

    def begin(self, base, donor):
        return outputs_of_heads(self.model, self.tokens[donor])

    def run(self, begun, base, cells):
        def figures(layer, head, position):
            def swap(_module, _inputs, z):
                z[:, head, position] = begun[layer][:, head, position]

            return self.difference(hooked(self.model, self.tokens[base], {layer: swap}))

        return torch.stack([figures(*self.cell(number)) for number in cells])


class Batched(Screen):
    """B: whole forwards of many cells at once, stacked on the batch axis; the size is how many."""

    MOST_ROWS = 1024

    def __init__(self, *arguments):
        super().__init__(*arguments)
        most = max(1, self.MOST_ROWS // self.pairs)
        self.sizes = tuple(size for size in (1, 2, 4, 8, 16, 64, 256, 1024) if size <= min(most, self.count))
        self.size = self.sizes[-1]

    def begin(self, base, donor):
        return outputs_of_heads(self.model, self.tokens[donor])

    def run(self, begun, base, cells):
        figures = []
        for start in range(0, len(cells), self.size):
            stack = [(row, *self.cell(number)) for row, number in enumerate(cells[start : start + self.size])]
            by_layer = {layer: list(own) for layer, own in groupby(stack, key=lambda entry: entry[1])}

            def swap(layer, own):
                rows, _layers, heads, positions = zip(*own)

                def hook(_module, _inputs, z):
                    z.unflatten(0, (len(stack), -1))[rows, :, heads, positions] = begun[layer][:, heads, positions].transpose(0, 1)

                return hook

            hooks = {layer: swap(layer, own) for layer, own in by_layer.items()}
            last = hooked(self.model, self.tokens[base].repeat(len(stack), 1), hooks)[:, -1].unflatten(0, (len(stack), -1))
            figures.append(last[:, self.rows, self.a] - last[:, self.rows, self.b])
        return torch.cat(figures)

    def try_out(self):
        self.run(self.begin("clean", "counterfactual"), "clean", spread(self.count, max(16, self.sizes[-1])))
