"""Screens of heads in PyTorch 1.13: z of each head, at the last position or at each, is taken from the other run of its pair.

    sweep.py --exchange FOLDER [--variant natural|last-logits|batched|prefix|suffix] [--cells N]

natural and last-logits: one hooked forward a cell (the natural one runs the model as it is, `last-logits` computes the final norm and the logits at the
last position alone); batched: many cells in one forward; prefix: layer skip and shared prefix; suffix: the causal suffix by hand. What is needed of the
unchanged runs is part of every sweep; a second screen (config) keeps it, and goes back and forth between the two directions. `--cells`: only so many
cells are run, spread evenly, and the time is that of all, taken from theirs; `cells` of the first line says which.
"""
import argparse
import time

import torch

from common import read_exchange, serve
from decoder import Decoder
from prefix import Prefix
from screens import Batched, Hooks
from suffix import Suffix

VARIANTS = {"natural": Hooks, "last-logits": Hooks, "batched": Batched, "prefix": Prefix, "suffix": Suffix}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", default="sweep")
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--variant", choices=VARIANTS, default="natural")
    parser.add_argument("--cells", type=int)
    arguments = parser.parse_args()
    config, tensors = read_exchange(arguments.exchange)
    model = Decoder(tensors, config, arguments.variant in ("last-logits", "batched"))
    kind = VARIANTS[arguments.variant]
    screen = kind(model, config, tensors, None if kind is Suffix else arguments.cells)
    directions = [("clean", "counterfactual"), ("counterfactual", "clean")]
    kept = {}

    def begin(base, donor):
        if not screen.keeps:
            return screen.begin(base, donor)
        if (base, donor) not in kept:
            kept[base, donor] = screen.begin(base, donor)
        return kept[base, donor]

    with torch.inference_mode():
        screen.choose(time.perf_counter)
        figures = screen.run(begin(*directions[0]), "clean", screen.chosen)
        baseline = screen.baseline("clean")
        if screen.keeps:
            begin(*directions[1])
    ready = {"figures": figures.flatten().tolist(), "baseline": baseline.tolist()}
    if len(screen.chosen) < screen.count:
        ready["cells"] = screen.chosen
    if screen.size is not None:
        ready["size"] = screen.size

    @torch.inference_mode()
    def round_of(sweeps):
        shared = own = 0.0
        for turn in range(sweeps):
            base, donor = directions[turn % 2 if screen.keeps else 0]
            start = time.perf_counter()
            begun = begin(base, donor)
            middle = time.perf_counter()
            screen.run(begun, base, screen.chosen)
            shared += middle - start
            own += time.perf_counter() - middle
        return {"seconds": shared + own * screen.count / len(screen.chosen)}

    serve(ready, round_of)


if __name__ == "__main__":
    main()
