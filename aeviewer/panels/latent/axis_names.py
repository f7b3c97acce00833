"""The names of the axes of a plane, the same in the latent panel, films, sheets and comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeviewer.numbers import local, subscript

if TYPE_CHECKING:
    from trainers.exploration.planes import Plane


def coordinate_name(index: int) -> str:
    """Returns the name of a coordinate that is counted from 0: z₁, z₂ and so on."""
    return f"z{subscript(index + 1)}"


def axis_names(plane: Plane) -> tuple[str, str]:
    """Returns the names of the x and y axes; the y axis of a one-dimensional code is the class."""
    which = "aligned " if plane.is_aligned else ""
    if plane.is_line:
        return f"{which}{coordinate_name(0)}", "class"
    if plane.is_picked:
        return f"{which}from A towards B", f"{which}towards C"
    if plane.shares is None:
        x, y = (f"{which}{coordinate_name(axis)}" for axis in plane.axes)
    elif plane.is_aligned:
        x, y = (f"aligned PC {axis + 1} of the last codes" for axis in plane.axes)
    else:
        named = zip(plane.axes, plane.shares, strict=True)
        x, y = (f"PC {a + 1} of the codes ({local(share):.0%} of variance)" for a, share in named)
    return x, y
