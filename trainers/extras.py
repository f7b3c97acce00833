"""What the program can do without, and how it is brought in where it is missing."""

from __future__ import annotations

import sys

_RUN_FROM_SOURCE = (
    "The packaged program leaves it out for its size and takes no packages in: run AE Viewer from "
    "its source with"
)


def is_packaged() -> bool:
    """Whether this is the packaged program, whose Python takes no packages in."""
    return bool(getattr(sys, "frozen", False))


def remedy(extra: str) -> str:
    """What a person does who wants an extra that is missing.

    Parameters
    ----------
    extra
        As pyproject.toml calls it; empty for what every installation has.
    """
    command = f"`uv sync --extra {extra}`" if extra else "`uv sync`"
    return f"{_RUN_FROM_SOURCE} {command}." if is_packaged() else f"Run {command}."
