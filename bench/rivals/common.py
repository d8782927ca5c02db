"""What the frozen PyTorch rivals share: the exchange folder, the losses to agree on, and the line protocol of bench/harness.ts.

PyTorch 1.13 of Debian 12 with OpenBLAS. Threads come from the environment (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS): in this build
torch.set_num_threads governs OpenMP alone, not OpenBLAS.
"""
import ctypes
import gc
import json
import os
import re
import sys
import time

import numpy as np
import torch

DTYPES = {"float32": np.float32, "int32": np.int32}
AGREEMENT_STEPS = 20


def read_exchange(folder):
    """(config, tensors by name) of an exchange folder; int32 becomes int64, which is what torch indexes with."""
    with open(os.path.join(folder, "manifest.json")) as file:
        manifest = json.load(file)
    data = np.fromfile(os.path.join(folder, "tensors.bin"), dtype=np.uint8)
    tensors = {}
    for entry in manifest["tensors"]:
        dtype = np.dtype(DTYPES[entry["dtype"]])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        piece = np.frombuffer(data, dtype=dtype, count=count, offset=entry["offset"]).reshape(entry["shape"])
        tensors[entry["name"]] = torch.from_numpy(piece.astype(np.int64) if dtype == np.int32 else piece.copy())
    return manifest["config"], tensors


def adam(parameters, learning_rate, foreach):
    # fused=True asks for CUDA in 1.13; foreach is the only choice there is.
    return torch.optim.Adam(parameters, lr=learning_rate, foreach=foreach)


class Training:
    """One compiled-by-hand training loop: `loss(step)` builds the loss of that step, and the rest is zero_grad, backward, Adam."""

    def __init__(self, parameters, loss, learning_rate, foreach):
        self.parameters = parameters
        self.loss = loss
        self.initial = [parameter.detach().clone() for parameter in parameters]
        self.optimiser = adam(parameters, learning_rate, foreach)

    def reset(self):
        """Back to the common initial state; moments are zeroed in place, so that no round pays for allocating them."""
        with torch.no_grad():
            for parameter, initial in zip(self.parameters, self.initial):
                parameter.copy_(initial)
                for state in self.optimiser.state.get(parameter, {}).values():
                    state.zero_()

    def run(self, steps):
        """`steps` steps; the losses stay tensors (not one .item() inside the loop)."""
        losses = []
        zero_grad, loss_of, update = self.optimiser.zero_grad, self.loss, self.optimiser.step
        for step in range(steps):
            zero_grad(set_to_none=True)
            loss = loss_of(step)
            loss.backward()
            update()
            losses.append(loss.detach())
        return losses

    def first_losses(self):
        self.reset()
        return [float(loss) for loss in self.run(AGREEMENT_STEPS)]

    def round(self, steps):
        """One timed round: restored first (untimed), then `steps` steps."""
        self.reset()
        start = time.perf_counter()
        losses = self.run(steps)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "last": float(losses[-1])}


def peak_mebibytes():
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) / 1024


def blas():
    """The BLAS that is really mapped, and the kernels it chose for this processor."""
    with open("/proc/self/maps") as file:
        paths = sorted({line.split()[-1] for line in file if "blas" in line.rsplit("/", 1)[-1]})
    for path in paths:
        library = ctypes.CDLL(path)
        if hasattr(library, "openblas_get_corename"):
            library.openblas_get_corename.restype = ctypes.c_char_p
            library.openblas_get_config.restype = ctypes.c_char_p
            return {
                "library": "openblas",
                "core": library.openblas_get_corename().decode(),
                "config": library.openblas_get_config().decode(),
                "threads": library.openblas_get_num_threads(),
            }
    return {"library": ", ".join(os.path.basename(path) for path in paths) or "unknown", "core": "", "config": "", "threads": 0}


def say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def serve(ready, round_of):
    """Speaks the line protocol: `ready` is the first line, `round_of(N)` answers each round."""
    say({"ready": True, **ready, "program": f"torch {torch.__version__}", "omp": torch.get_num_threads(), "blas": blas()})
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("end"):
            break
        gc.collect()
        gc.disable()  # as timeit does
        answer = round_of(request["round"])
        gc.enable()
        say(answer)
    say({"peakMiB": peak_mebibytes()})
