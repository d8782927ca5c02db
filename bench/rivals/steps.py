"""Training steps of PyTorch 1.13: mlp-step, transformer-step, toy-mlp, toy-transformer.

    steps.py --suite NAME --exchange FOLDER [--foreach]

Step i of a run uses batch i mod the number of batches in the exchange folder; all parameters are trained with Adam.
"""
import argparse

import torch
import torch.nn.functional as F

from common import Training, read_exchange, serve
from transformer import functional_forward, names


def mlp(config, tensors):
    layers = len(config["widths"]) - 1
    parameters = [tensors[f"{kind}{layer}"].requires_grad_() for layer in range(layers) for kind in "wb"]
    inputs, targets = tensors["inputs"].unbind(0), tensors["targets"].unbind(0)
    batches = len(inputs)
    hidden, (last_w, last_b) = list(zip(parameters[0:-2:2], parameters[1:-2:2])), parameters[-2:]
    addmm, relu, cross_entropy = torch.addmm, torch.relu_, F.cross_entropy

    def loss(step):
        x = inputs[step % batches]
        for w, b in hidden:
            x = relu(addmm(b, x, w))
        return cross_entropy(addmm(last_b, x, last_w), targets[step % batches])

    return parameters, loss


def transformer(config, tensors):
    parameters = [tensors[name].requires_grad_() for name in names(config["layers"])]
    forward = functional_forward(tensors, config)
    tokens, targets = tensors["tokens"].unbind(0), [target.reshape(-1) for target in tensors["targets"].unbind(0)]
    batches = len(tokens)
    return parameters, lambda step: F.cross_entropy(forward(tokens[step % batches]), targets[step % batches])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", required=True)
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--foreach", action="store_true")
    arguments = parser.parse_args()
    config, tensors = read_exchange(arguments.exchange)
    build = {"mlp-step": mlp, "toy-mlp": mlp, "transformer-step": transformer, "toy-transformer": transformer}[arguments.suite]
    parameters, loss = build(config, tensors)
    training = Training(parameters, loss, config["learningRate"], arguments.foreach)
    serve({"losses": training.first_losses()}, training.round)


if __name__ == "__main__":
    main()
