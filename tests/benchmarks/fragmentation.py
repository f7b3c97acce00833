"""Fragmentation: memory after many short runs, with glibc's defaults and with our settings.

    uv run python -m tests.benchmarks.fragmentation [RUNS]

Trains RUNS (40) short runs of several kinds in one thread, as the window does, encodes and decodes
the test images with each, and keeps the codes and small arrays that were allocated in between. This
is done twice, each time in a new process: without and with the settings for glibc in
`aeviewer.startup.libraries`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from threading import Thread

import numpy as np

_STEPS = 30
_MAX_ARRAYS = 200


def _train_runs(folder: Path, count: int) -> None:
    from tests.benchmarks.memory import resident_megabytes
    from trainers import runs
    from trainers.datasets import mnist
    from trainers.inference import load
    from trainers.presets import preset
    from trainers.training.trainer import Trainer

    random, arrays = Random(0), []
    began = time.monotonic()
    for _ in range(count):
        config = preset(random.choice(("elu", "sigmoid", "vae", "conv-vae", "pca")))
        width = random.choice((8, 32, 128))
        config = config.replace(latent_dim=2, hidden=(width,), channels=(4, 8), steps=_STEPS)
        run = runs.create_run(config.replace(checkpoints=(10, 20, 30)), folder)
        for _event in Trainer(run):
            arrays.append(np.ones(random.randint(1_000, 100_000)))
            if len(arrays) > _MAX_ARRAYS:
                del arrays[random.randrange(_MAX_ARRAYS)]
        model = load(run)
        codes = model.encode(mnist.load_split("test").images)
        model.decode(codes)
        arrays.append(codes)
        del model
    print(json.dumps([resident_megabytes(), time.monotonic() - began]))


def train_in_thread(count: int) -> None:
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        worker = Thread(target=_train_runs, args=(Path(place), count))
        worker.start()
        worker.join()


def main(count: int) -> None:
    """Runs both variants and prints their resident memory."""
    run = f"from tests.benchmarks.fragmentation import train_in_thread; train_in_thread({count})"
    memory = []
    ours = "from aeviewer.startup.libraries import return_freed_memory; return_freed_memory(); "
    for name, before in (("glibc's defaults", ""), ("our settings", ours)):
        command = [sys.executable, "-c", f"{before}{run}"]
        done = subprocess.run(command, capture_output=True, check=True)
        resident, seconds = json.loads(done.stdout)
        memory.append(resident)
        print(f"{name:<16} {resident:5.0f} MB {seconds:5.1f} s", flush=True)
    print(f"ratio {memory[1] / memory[0]:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
