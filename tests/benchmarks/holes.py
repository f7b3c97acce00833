"""What many short runs, one after another, leave held: with glibc as it is, and as we set it.

    uv run python -m tests.benchmarks.holes [RUNS]

Trains RUNS (40) short runs of several kinds in one thread, as the window does, has the test images
encoded and decoded by each, and keeps their codes and small things made in between. Done twice, in
processes of their own: without and with `aeviewer.startup.libraries.keep_memory_whole`.
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

    mind, kept = Random(0), []
    began = time.monotonic()
    for _ in range(count):
        config = preset(mind.choice(("elu", "sigmoid", "vae", "conv-vae", "pca")))
        width = mind.choice((8, 32, 128))
        config = config.replace(latent_dim=2, hidden=(width,), channels=(4, 8), steps=_STEPS)
        run = runs.create_run(config.replace(checkpoints=(10, 20, 30)), folder)
        for _event in Trainer(run):
            kept.append(np.ones(mind.randint(1_000, 100_000)))
            if len(kept) > _MAX_ARRAYS:
                del kept[mind.randrange(_MAX_ARRAYS)]
        model = load(run)
        codes = model.encode(mnist.load_split("test").images)
        model.decode(codes)
        kept.append(codes)
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
    """Does it both ways and prints what is held then."""
    here, told = "from tests.benchmarks.holes import _in_a_thread; ", []
    ours = "from aeviewer.startup.libraries import keep_memory_whole; keep_memory_whole(); "
    for name, before in (("glibc as it is", ""), ("as we set it", ours)):
        command = [sys.executable, "-c", f"{before}{here}_in_a_thread({count})"]
        held, seconds = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        told.append(held)
        print(f"{name:<16} {held:5.0f} MB {seconds:5.1f} s", flush=True)
    print(f"ratio {told[1] / told[0]:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
