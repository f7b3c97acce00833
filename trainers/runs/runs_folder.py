"""The default runs folder, and the names that runs may have."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from trainers.datasets import MNIST
from trainers.errors import RunError
from trainers.storage import atomic
from trainers.storage.regular_files import open_regular_file

if TYPE_CHECKING:
    from trainers.config import RunConfig

_LONGEST_PATH = 1 << 16
_NAME = re.compile(r"[^\W_][\w .=+-]{0,79}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def default_folder() -> Path:
    """Returns the default runs folder.

    `AEVIEWER_RUNS`, or what `choose_folder` wrote, or the user's data folder.
    """
    chosen = os.environ.get("AEVIEWER_RUNS") or _chosen_folder()
    return Path(chosen) if chosen else platformdirs.user_data_path("aeviewer", False) / "runs"


def choose_folder(folder: Path | None) -> None:
    """Stores the default runs folder; None means the user's data folder.

    Raises
    ------
    RunError
        When it is no absolute path, cannot be made, or the choice cannot be kept.
    """
    if folder is not None and not folder.is_absolute():
        raise RunError(f"{str(folder)!r} is no whole path; give one from the root, or choose it.")
    place = _folder_choice()
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(place, str(folder or "").encode())
    except OSError as error:
        raise RunError(
            f"{folder or place} cannot be used ({error.strerror or error}): choose a folder that "
            "you may write to."
        ) from error


def _folder_choice() -> Path:
    return platformdirs.user_config_path("aeviewer", False) / "runs-folder"


def _chosen_folder() -> str:
    try:
        with open_regular_file(_folder_choice()) as file:
            return file.read(_LONGEST_PATH).decode().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def free_name(config: RunConfig, folder: Path) -> str:
    """Returns a name that describes the run: "vae-d2", then "vae-d2-2", and so on."""
    data = "" if config.dataset == MNIST.name else f"{config.dataset}-"
    stem = f"{data}{config.preset}-d{config.model.latent_dim}"
    number = 1
    while (folder / (name := stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return name


def checked_name(name: str) -> str:
    """Returns `name`, if a folder may have this name on every system.

    Raises
    ------
    RunError
        Naming what is allowed.
    """
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name) or name.endswith((".", " ")):
        raise RunError(
            f"{name!r} cannot name a run: use up to 80 letters, digits, spaces or . = + - _, "
            "beginning with a letter or digit."
        )
    return name
