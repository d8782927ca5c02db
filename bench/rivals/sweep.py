"""The patching sweep of PyTorch 1.13: for each head, its z at the last position is taken from the counterfactual run.

    sweep.py --exchange FOLDER [--variant natural|last-logits] [--positions last|all]

One sweep = one counterfactual forward whose z is cached by hooks, then one hooked forward of all pairs per head; the figure is
logit[a] − logit[b] at the last position, [layers*heads*positions, pairs] flat, layer-major; with `--positions all` a forward per position too. `last-logits` computes the final norm and the
logits at the last position alone, which somebody who writes for speed would do; the natural variant runs the model as it is.
"""
import argparse
import time

import torch

from common import read_exchange, serve
from transformer import Transformer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", default="sweep")
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--variant", choices=("natural", "last-logits"), default="natural")
    parser.add_argument("--positions", choices=("last", "all"), default="last")
    arguments = parser.parse_args()
    config, tensors = read_exchange(arguments.exchange)
    model = Transformer(tensors, config, arguments.variant == "last-logits").eval()
    clean, counterfactual, pick_a, pick_b = (tensors[name] for name in ("clean", "counterfactual", "a", "b"))
    pairs = torch.arange(config["pairs"])
    swept = range(config["positions"]) if arguments.positions == "all" else [config["positions"] - 1]

    def metric(tokens):
        last = model(tokens)[:, -1]
        return last[pairs, pick_a] - last[pairs, pick_b]

    @torch.inference_mode()
    def sweep():
        cache = [None] * config["layers"]

        def keep(layer):
            def hook(_module, _inputs, z):
                cache[layer] = z

            return hook

        handles = [block.hook_z.register_forward_hook(keep(layer)) for layer, block in enumerate(model.blocks)]
        model(counterfactual)
        for handle in handles:
            handle.remove()
        figures = []
        for layer, block in enumerate(model.blocks):
            for head in range(config["heads"]):
                for position in swept:

                    def swap(_module, _inputs, z):
                        z[:, head, position] = cache[layer][:, head, position]  # z is this forward's own: in place saves the copy

                    handle = block.hook_z.register_forward_hook(swap)
                    figures.append(metric(clean))
                    handle.remove()
        return torch.cat(figures)

    with torch.inference_mode():
        baseline = metric(clean).tolist()
    ready = {"figures": sweep().tolist(), "baseline": baseline}

    def round_of(sweeps):
        start = time.perf_counter()
        for _ in range(sweeps):
            sweep()
        return {"seconds": time.perf_counter() - start}

    serve(ready, round_of)


if __name__ == "__main__":
    main()
