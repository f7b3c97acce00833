"""A cache of embeddings in the run folder, so that none is computed twice. Loads no torch.

Each embedding is stored with a key, a hash of the codes, the recipe and the version of the library.
An embedding of other codes or by another recipe is therefore never used. The files are untrusted:
a file is read only if it has the expected size and tensor. The file names contain the word
"layout", the old name of an embedding, so that files from earlier versions can still be read.
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

from trainers.embeddings.embedding import Embedding, library_version
from trainers.storage.atomic import replace_file
from trainers.storage.regular_files import check_regular_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from trainers.embeddings.embedding import Recipe
    from trainers.runs import Checkpoint

_TENSOR = "places"
_MOST_HEADER = 4_096


def compute_key(codes: NDArray[np.floating], recipe: Recipe) -> str:
    """Returns the key that identifies an embedding: 64 hexadecimal digits.

    Parameters
    ----------
    codes
        (n, d).
    recipe
        The method and its settings.
    """
    header = [type(recipe).__name__, asdict(recipe), library_version(recipe), codes.shape]
    digest = hashlib.sha256(json.dumps(header).encode())
    digest.update(np.ascontiguousarray(codes, "<f4").tobytes())
    return digest.hexdigest()


def cache_files(checkpoint: Checkpoint, recipe: Recipe, key: str) -> tuple[Path, ...]:
    """Returns the files where an embedding may be: in its checkpoint, and in the user's cache.

    An embedding of a read-only run is stored only in the user's cache.
    """
    cache = platformdirs.user_cache_path("aeviewer", False) / "layouts" / f"{key}.safetensors"
    if checkpoint.run.read_only:
        return (cache,)
    return checkpoint.path / f"layout-{type(recipe).__name__.lower()}.safetensors", cache


def read(places: Sequence[Path], key: str, count: int) -> Embedding | None:
    """Returns the embedding of `count` codes with this key; None if no intact file has it."""
    embeddings = (_read_file(place, key, count) for place in places)
    return next((embedding for embedding in embeddings if embedding is not None), None)


def _read_file(place: Path, key: str, count: int) -> Embedding | None:
    try:
        if place.stat().st_size > count * 2 * 4 + _MOST_HEADER:
            return None
        check_regular_file(place)
        with safe_open(place, "numpy") as file:
            header = file.metadata() or {}
            if header.get("key") != key:
                return None
            xy = file.get_tensor(_TENSOR)
        trustworthiness = float(header["trustworthiness"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    is_valid = xy.shape == (count, 2) and xy.dtype == np.float32 and np.isfinite(xy).all()
    return Embedding(xy, trustworthiness) if is_valid and 0 <= trustworthiness <= 1 else None


def write(places: Sequence[Path], key: str, embedding: Embedding) -> Path | None:
    """Writes an embedding to the first of `places` that can be written.

    Returns
    -------
    The file that was written, or None if none can be written.
    """
    header = {"key": key, "trustworthiness": str(embedding.trustworthiness)}
    content = safetensors.numpy.save({_TENSOR: np.ascontiguousarray(embedding.places)}, header)
    for number, place in enumerate(places):
        try:
            # Only the folder of the cache is created: a deleted checkpoint must not come back.
            if number == len(places) - 1:
                place.parent.mkdir(parents=True, exist_ok=True)
            replace_file(place, content)
        except OSError:
            continue
        return place
    return None
