"""What the program can do without, and how it is brought in where it is missing."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_RUN_FROM_SOURCE = (
    "The packaged program leaves it out for its size and takes no packages in: run AE Viewer from "
    "its source with"
)


def is_packaged() -> bool:
    """Whether this is the packaged program, whose Python takes no packages in."""
    return bool(getattr(sys, "frozen", False))


def install_hint(extra: str) -> str:
    """What a person does who wants an extra that is missing.

    Parameters
    ----------
    extra
        As pyproject.toml calls it; empty for what every installation has.
    """
    command = f"`uv sync --extra {extra}`" if extra else "`uv sync`"
    return f"{_RUN_FROM_SOURCE} {command}." if is_packaged() else f"Run {command}."


def missing_packages(label: str, packages: tuple[str, ...], extra: str) -> str:
    """Returns what to do before something can be used; empty where nothing is missing.

    Parameters
    ----------
    label
        What needs the packages, as the window calls it.
    packages
        The names that the packages are imported by.
    extra
        The extra of pyproject.toml that installs them.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if not missing:
        return ""
    several = len(missing) > 1
    return (
        f"{label} needs the package{'s' if several else ''} {', '.join(missing)}, which "
        f"{'are' if several else 'is'} not installed. {install_hint(extra)} Or leave it out."
    )
