"""The memory that importing and training take with a data set too large to load.

    uv run python -m tests.benchmarks.big_data [--images 200000] [--side 64]

Writes an array of images, imports it, and trains a VAE on it. Prints the peak memory of import and
training beyond the memory that torch takes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument(
        "--folder", type=Path, help="A folder with enough space; by default a temporary one."
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        os.environ["AEVIEWER_DATASETS"] = f"{place}/datasets"
        measure(Path(place), options.images, options.side, options.steps)


def measure(place: Path, images: int, side: int, steps: int) -> tuple[float, float]:
    """Returns the additional peak memory of import and training in MB."""
    import trainers
    from trainers.datasets import open_dataset, sources
    from trainers.datasets.importing.importer import (
        ImportRequest,
        default_conversion,
        import_images,
    )
    from trainers.datasets.tensors import StreamedImages
    from trainers.generators import finish

    write_images(place / "many.npy", images, side)
    print(f"{images:,} images of {side} × {side}: {images * side**2 / 1e6:,.0f} MB")
    base, began = reset_peak(), time.perf_counter()
    source = finish(sources.detect_source(place / "many.npy"))
    dataset = finish(
        import_images(source, ImportRequest("many", conversion=default_conversion(source)))
    ).keep()
    source.close()
    importing = peak_megabytes() - base
    print(f"import: {importing:,.0f} MB at most, {time.perf_counter() - began:.0f} s")
    config = trainers.preset("vae").replace(
        dataset="many", latent_dim=2, hidden=(64,), steps=steps, checkpoints=(steps,)
    )
    for _event in trainers.train(trainers.preset("vae").replace(steps=2), place / "runs", "warm"):
        pass  # loads torch, whose memory is not counted
    base, began = reset_peak(), time.perf_counter()
    trainer = trainers.train(config, place / "runs", "many")
    assert isinstance(trainer.model_state.images["train"], StreamedImages)
    for _event in trainer:
        pass
    training = peak_megabytes() - base
    print(
        f"training: {training:,.0f} MB at most, {steps} steps and a checkpoint of {dataset.test:,} "
        f"test images in {time.perf_counter() - began:.0f} s"
    )
    assert len(open_dataset(dataset).train) + dataset.test == images
    return importing, training


def write_images(place: Path, images: int, side: int) -> None:
    """Writes an .npy file of noise in blocks."""
    array = np.lib.format.open_memmap(place, "w+", np.uint8, (images, side, side))
    rng = np.random.default_rng(0)
    for start in range(0, images, 2_000):
        block = array[start : start + 2_000]
        block[:] = rng.integers(0, 256, block.shape, np.uint8)
    array.flush()


def reset_peak() -> float:
    """Resets the peak memory; returns the resident memory in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak_megabytes() -> float:
    """Returns the peak memory since the reset in MB, with mapped pages of files."""
    return _status("VmHWM")


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1_000 for line in lines if line.startswith(key))


if __name__ == "__main__":
    main()
