"""The Dopamine protocol on all of MNIST in PyTorch 1.13, one seed per round.

    dopamine.py --data FOLDER [--seeds 0-4] [--foreach]     prints {"protocol":"dopamine","seeds":[…]} with accuracies in percent
    dopamine.py --exchange FOLDER [--foreach] [--trial]     speaks the line protocol of bench/harness.ts

784-256-128-10 with ReLU, U(±1/√fan_in) weights and biases, batches of 128 (the last one smaller), Adam, shuffled each epoch.
Foundation: 2 epochs at 1e-3 over the 60 000 training images, each turned by the angle with p = ½, once. Frozen. Then, from that base:
Dopamine out = γ·σ((a−τ)/T)·a on both hidden layers, T 0.2, τ 0, γ 1, 2 epochs at 1e-2 on the turned images; LoRA r4 z = Wx + b + BAx on
the two hidden matrices, A ~ N(0, 1/√d_in), B = 0, 2 epochs at 3e-3. Test images are read once, at the end.
A round is all of it: reading the four files, turning the images, three trainings, evaluation. --trial takes a tenth of the images.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from common import AGREEMENT_STEPS, adam, read_exchange, serve

SIDE = 28
TEMPERATURE = 0.2
EPOCHS = 2
EVALUATION_ROWS = 1000
TURN_CHUNK = 256


def read_idx(path, magic, header):
    with open(path, "rb") as file:
        found = int.from_bytes(file.read(4), "big")
    if found != magic:
        raise SystemExit(f"read_idx: magic of {path} must be {magic}, got {found}")
    return np.fromfile(path, dtype=np.uint8, offset=header)


def read_split(folder, split):
    """images float32 [n, 784] in [0, 1], labels int64 [n]"""
    images = read_idx(os.path.join(folder, f"{split}-images-idx3-ubyte"), 2051, 16)
    labels = read_idx(os.path.join(folder, f"{split}-labels-idx1-ubyte"), 2049, 8)
    return torch.from_numpy(images).float().div_(255).view(-1, SIDE * SIDE), torch.from_numpy(labels).long()


def turn(images, degrees):
    """Counter-clockwise (as seen) about (13.5, 13.5), bilinear, zeros outside: the value at (row, column) is taken from
    column' = 13.5 + cos·(column−13.5) − sin·(row−13.5), row' = 13.5 + sin·(column−13.5) + cos·(row−13.5).
    Images are the *channels* of one 28×28 picture, so that grid_sample works its weights out once for all of a chunk; chunks of 256
    stay in the cache (three times as fast as all 60 000 at once)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    offset = torch.arange(SIDE, dtype=torch.float64) - (SIDE - 1) / 2
    row, column = offset[:, None], offset[None, :]
    grid = torch.stack((cos * column - sin * row, sin * column + cos * row), -1) / ((SIDE - 1) / 2)
    grid = grid.float()[None]
    turned = torch.empty_like(images)
    for source, target in zip(images.split(TURN_CHUNK), turned.split(TURN_CHUNK)):
        picture = F.grid_sample(source.view(1, -1, SIDE, SIDE), grid, mode="bilinear", padding_mode="zeros", align_corners=True)
        target.copy_(picture.view(target.shape))
    return turned


def initial_weights(widths):
    """(weight [out, in], bias) per layer, U(±1/√fan_in) each: nn.Linear's own initialisation."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        bound = 1 / math.sqrt(inputs)
        layers.append((torch.empty(outputs, inputs).uniform_(-bound, bound), torch.empty(outputs).uniform_(-bound, bound)))
    return layers


def base_forward(layers):
    (w0, b0), (w1, b1), (w2, b2) = layers

    def forward(x):
        return F.linear(torch.relu_(F.linear(torch.relu_(F.linear(x, w0, b0)), w1, b1)), w2, b2)

    return forward


def dopamine_forward(layers, thresholds, gains, hard=False):
    hidden, (last_w, last_b) = list(zip(layers, thresholds, gains)), layers[-1]

    def forward(x):
        for (w, b), threshold, gain in hidden:
            a = torch.relu_(F.linear(x, w, b))
            gate = (a > threshold).float() if hard else torch.sigmoid((a - threshold) / TEMPERATURE)
            x = gain * (gate * a)
        return F.linear(x, last_w, last_b)

    return forward


def lora_forward(layers, downs, ups):
    hidden, (last_w, last_b) = list(zip(layers, downs, ups)), layers[-1]

    def forward(x):
        for (w, b), down, up in hidden:
            x = torch.relu_(F.linear(x, w, b).addmm(F.linear(x, down), up.t()))
        return F.linear(x, last_w, last_b)

    return forward


def train(forward, parameters, images, labels, learning_rate, batch, foreach, epochs=EPOCHS):
    for parameter in parameters:
        parameter.requires_grad_()
    optimiser = adam(parameters, learning_rate, foreach)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(batch):
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(forward(images.index_select(0, rows)), labels.index_select(0, rows)).backward()
            optimiser.step()
    for parameter in parameters:
        parameter.requires_grad_(False)


@torch.inference_mode()
def accuracy(forward, images, labels):
    right = sum(int((forward(x).argmax(1) == y).sum()) for x, y in zip(images.split(EVALUATION_ROWS), labels.split(EVALUATION_ROWS)))
    return 100 * right / len(labels)


def protocol(data, seed, widths=(784, 256, 128, 10), batch=128, angle=45, foreach=False, share=1.0):
    """One seed, as the protocol reports it."""
    torch.manual_seed(seed)
    images, labels = read_split(data, "train")
    if share < 1:
        images, labels = images[: int(share * len(images))], labels[: int(share * len(labels))]
    turned = turn(images, angle)
    mixture = torch.where(torch.rand(len(images), 1) < 0.5, turned, images)
    layers = initial_weights(widths)
    train(base_forward(layers), [tensor for layer in layers for tensor in layer], mixture, labels, 1e-3, batch, foreach)
    del mixture

    thresholds = [torch.zeros(width) for width in widths[1:-1]]
    gains = [torch.ones(width) for width in widths[1:-1]]
    train(dopamine_forward(layers, thresholds, gains), thresholds + gains, turned, labels, 1e-2, batch, foreach)

    downs = [torch.randn(4, inputs) / math.sqrt(inputs) for inputs in widths[:-2]]
    ups = [torch.zeros(outputs, 4) for outputs in widths[1:-1]]
    train(lora_forward(layers, downs, ups), downs + ups, turned, labels, 3e-3, batch, foreach)

    test_images, test_labels = read_split(data, "t10k")
    tests = {"0": test_images, str(angle): turn(test_images, angle)}
    evaluate = lambda forward: {name: accuracy(forward, test, test_labels) for name, test in tests.items()}
    count = lambda tensors: sum(tensor.numel() for tensor in tensors)
    return {
        "seed": seed,
        "frozen": evaluate(base_forward(layers)),
        "adapters": {
            "dopamine": {
                "parameters": count(thresholds + gains),
                "soft": evaluate(dopamine_forward(layers, thresholds, gains)),
                "hard": evaluate(dopamine_forward(layers, thresholds, gains, hard=True)),
            },
            "lora-r4": {"parameters": count(downs + ups), "soft": evaluate(lora_forward(layers, downs, ups))},
        },
    }


def first_losses(config, tensors, foreach):
    """The foundation's first steps from the weights, turned images and order of the exchange folder."""
    images, labels = read_split(config["data"], "train")
    count = len(config["widths"]) - 1
    layers = [(tensors[f"w{layer}"].t().contiguous(), tensors[f"b{layer}"]) for layer in range(count)]
    parameters = [tensor.requires_grad_() for layer in layers for tensor in layer]
    forward, optimiser = base_forward(layers), adam(parameters, 1e-3, foreach)
    losses = []
    for rows in tensors["order"].split(config["batch"])[:AGREEMENT_STEPS]:
        upright = images.index_select(0, rows)
        x = torch.where(tensors["turned"].index_select(0, rows)[:, None] == 1, turn(upright, config["angle"]), upright)
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(forward(x), labels.index_select(0, rows))
        loss.backward()
        optimiser.step()
        losses.append(float(loss))
    return losses


def seeds_of(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", default="dopamine")
    parser.add_argument("--exchange")
    parser.add_argument("--data")
    parser.add_argument("--seeds", type=seeds_of, default=range(0, 1))
    parser.add_argument("--foreach", action="store_true")
    parser.add_argument("--trial", action="store_true")
    arguments = parser.parse_args()
    if not arguments.exchange:
        seeds = [protocol(arguments.data, seed, foreach=arguments.foreach) for seed in arguments.seeds]
        print(json.dumps({"protocol": "dopamine", "seeds": seeds}))
        return
    config, tensors = read_exchange(arguments.exchange)
    losses = first_losses(config, tensors, arguments.foreach)

    def round_of(protocols):
        start = time.perf_counter()
        for _ in range(protocols):
            result = protocol(
                config["data"], config["seed"], config["widths"], config["batch"], config["angle"], arguments.foreach, 0.1 if arguments.trial else 1.0
            )
        return {"seconds": time.perf_counter() - start, "result": result}

    serve({"losses": losses}, round_of)


if __name__ == "__main__":
    main()
