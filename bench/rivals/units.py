"""The sweep over all hidden units of a gated MLP in PyTorch 1.13: what a unit gives is taken from the other set of inputs, one unit at a time.

    units.py --exchange FOLDER [--variant natural|suffix]

One sweep = one forward of either set, whose unit outputs are cached by hooks, then for both directions one hooked forward per unit, batched over
images; the figure is the margin (the label's logit minus the mean of the others), [unit of all layers][direction][image]. `suffix` runs each
unit's forward from its own layer on, with what lies before taken from the cache, which somebody who writes for speed would do; the natural
variant runs the model as it is.
"""
import argparse
import time

import torch
from torch import nn

from common import read_exchange, serve

# Images of one forward: 2000 take the same processor time, 500 a quarter more.
BATCH = 1000


class Gate(nn.Module):
    def __init__(self, threshold, gain, temperature):
        super().__init__()
        self.threshold, self.gain, self.temperature = threshold, gain, temperature

    def forward(self, a):
        return self.gain * (torch.sigmoid((a - self.threshold) / self.temperature) * a)


def build(tensors, config):
    layers = []
    for i, (fan_in, width) in enumerate(zip(config["widths"], config["widths"][1:])):
        linear = nn.Linear(fan_in, width)
        linear.weight.data = tensors[f"w{i}"].t().contiguous()
        linear.bias.data = tensors[f"b{i}"]
        layers.append(linear)
        if f"threshold{i}" in tensors:
            layers += [nn.ReLU(), Gate(tensors[f"threshold{i}"], tensors[f"gain{i}"], config["temperature"])]
    return nn.Sequential(*layers).eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", default="units")
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--variant", choices=("natural", "suffix"), default="natural")
    arguments = parser.parse_args()
    config, tensors = read_exchange(arguments.exchange)
    model = build(tensors, config)
    gates = [i for i, layer in enumerate(model) if isinstance(layer, Gate)]
    units = sum(config["widths"][1:-1])
    count = config["images"]
    patched = torch.empty(units, 2, count)
    baseline = torch.empty(2, count)

    def margin(logits, labels):
        label = logits.gather(1, labels[:, None])[:, 0]
        return label - (logits.sum(1) - label) / (logits.shape[1] - 1)

    @torch.inference_mode()
    def sweep():
        for begin in range(0, count, BATCH):
            rows = slice(begin, begin + BATCH)
            inputs = [tensors["clean"][rows], tensors["donor"][rows]]
            labels = tensors["labels"][rows]
            caches = [{}, {}]
            for direction in range(2):
                handles = [
                    model[gate].register_forward_hook(lambda _module, _inputs, out, gate=gate: caches[direction].__setitem__(gate, out))
                    for gate in gates
                ]
                baseline[direction, rows] = margin(model(inputs[direction]), labels)
                for handle in handles:
                    handle.remove()
            for direction in range(2):
                unit = 0
                for gate in gates:
                    own, other = caches[direction][gate], caches[1 - direction][gate]
                    for column in range(own.shape[1]):
                        if arguments.variant == "suffix":
                            out = own.clone()
                            out[:, column] = other[:, column]
                            logits = model[gate + 1 :](out)
                        else:

                            def swap(_module, _inputs, out):
                                out[:, column] = other[:, column]  # out is this forward's own: in place saves the copy

                            handle = model[gate].register_forward_hook(swap)
                            logits = model(inputs[direction])
                            handle.remove()
                        patched[unit, direction, rows] = margin(logits, labels)
                        unit += 1

    sweep()
    every = config["every"]
    ready = {"figures": patched[:, :, ::every].flatten().tolist(), "baseline": baseline[:, ::every].flatten().tolist()}

    def round_of(sweeps):
        start = time.perf_counter()
        for _ in range(sweeps):
            sweep()
        return {"seconds": time.perf_counter() - start}

    serve(ready, round_of)


if __name__ == "__main__":
    main()
