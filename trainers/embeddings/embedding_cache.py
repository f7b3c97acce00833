"""Layouts beside the codes they are of, so that none is computed twice. Loads no torch.

A layout is kept with a key made of the codes themselves, the recipe and the library's version:
one of other codes, or by another recipe, is never taken for it. It is data from anywhere: a file
is read only if it has the size and the tensor that it must have.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import safetensors.numpy
from safetensors import SafetensorError, safe_open

from trainers.embeddings.embedding import Embedding, library
from trainers.storage.atomic import replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.embeddings.embedding import Recipe
    from trainers.runs import Checkpoint

_TENSOR = "places"
_MOST_HEADER = 4_096


def key(codes: NDArray[np.floating], recipe: Recipe) -> str:
    """What tells a layout from every other: 64 hexadecimal digits.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        How they are laid out.
    """
    header = [type(recipe).__name__, asdict(recipe), library(recipe), codes.shape]
    digest = hashlib.sha256(json.dumps(header).encode())
    digest.update(np.ascontiguousarray(codes, "<f4").tobytes())
    return digest.hexdigest()


def files(checkpoint: Checkpoint, recipe: Recipe, key: str) -> tuple[Path, ...]:
    """Where a layout may be kept: with its checkpoint, or where that may not be written to."""
    cache = platformdirs.user_cache_path("aeviewer", False) / "layouts" / f"{key}.safetensors"
    if checkpoint.run.read_only:
        return (cache,)
    return checkpoint.path / f"layout-{type(recipe).__name__.lower()}.safetensors", cache


def read(places: Sequence[Path], key: str, count: int) -> Embedding | None:
    """The layout of `count` codes that has this key, or None: a damaged file is as good as none."""
    for place in places:
        found = _read(place, key, count)
        if found is not None:
            return found
    return None


def _read(place: Path, key: str, count: int) -> Embedding | None:
    try:
        if place.stat().st_size > count * 2 * 4 + _MOST_HEADER:
            return None
        with safe_open(place, "numpy") as file:
            header = file.metadata() or {}
            if header.get("key") != key:
                return None
            xy = file.get_tensor(_TENSOR)
        trust = float(header["trustworthiness"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    sound = xy.shape == (count, 2) and xy.dtype == np.float32 and np.isfinite(xy).all()
    return Embedding(xy, trust) if sound and 0 <= trust <= 1 else None


def write(places: Sequence[Path], key: str, layout: Embedding) -> Path | None:
    """Keeps a layout at the first place that can be written to; None where none can."""
    header = {"key": key, "trustworthiness": str(layout.trustworthiness)}
    content = safetensors.numpy.save({_TENSOR: np.ascontiguousarray(layout.places)}, header)
    for number, place in enumerate(places):
        try:
            if number == len(places) - 1:  # the cache; a checkpoint that is gone stays gone
                place.parent.mkdir(parents=True, exist_ok=True)
            replace(place, content)
        except OSError:
            continue
        return place
    return None
