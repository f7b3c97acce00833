"""Aligns the codes of one checkpoint to those of another, so that meaningless rotations vanish.

An autoencoder's loss is (nearly) the same however its latent space is turned, so training is free
to turn it. What is left when a turn, a mirroring and a shift are taken away is what was learnt.
Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trainers.exploration.planes import Plane

_TIE = 1e-12
"""Of the largest singular value: decides the turn where the codes themselves leave it open."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A rigid motion of a d-dimensional space of codes: aligned = (code − centre)·rotation + onto.

    Attributes
    ----------
    rotation
        (d, d) float64, orthogonal; its determinant is −1 where it also mirrors.
    centre, onto
        (d,) float64, the mean of the codes that are moved, and where it goes.
    """

    rotation: NDArray[np.float64]
    centre: NDArray[np.float64]
    onto: NDArray[np.float64]

    @property
    def is_mirroring(self) -> bool:
        """Whether the motion contains a reflection."""
        return bool(np.linalg.det(self.rotation) < 0)

    def apply(self, codes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Moves (..., d) codes."""
        moved: NDArray[np.float64] = (codes - self.centre) @ self.rotation + self.onto
        return moved

    def inverse(self) -> Alignment:
        """Returns the inverse motion."""
        return Alignment(self.rotation.T, self.onto, self.centre)

    def seen_through(self, plane: Plane) -> Plane:
        """Returns the plane in the space of the unaligned codes that `plane` is the image of.

        A code lies in it where the moved code lies in `plane`:
        `seen_through(plane).project(code) == plane.project(apply(code))`. So whatever is lifted
        from it is a code of the model that the codes are of, with nothing to be undone.
        """
        origin = self.inverse().apply(plane.origin)
        return replace(plane, origin=origin, basis=plane.basis @ self.rotation.T, is_aligned=True)


def identity(latent_dim: int) -> Alignment:
    """Returns the motion that leaves every code in place."""
    return Alignment(np.eye(latent_dim), np.zeros(latent_dim), np.zeros(latent_dim))


def procrustes(codes: NDArray[np.floating], onto: NDArray[np.floating]) -> Alignment:
    """Returns the rigid motion that brings codes nearest to others, row by row, by least squares.

    With X and Y centred and XᵀY = U·S·Vᵀ, the orthogonal R that minimises ‖X·R − Y‖ is U·Vᵀ
    (Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem"). It may mirror:
    a latent space has no handedness. It does not scale: how far codes lie from each other is
    learnt, and is to be seen. Where the codes leave the turn open, as in a dimension that has
    collapsed, it is as near to none as can be.

    Parameters
    ----------
    codes, onto
        (n, d) each; row i of both is of the same image.

    Raises
    ------
    ValueError
        When they are no two tables of the same shape, or hold nothing.
    """
    if codes.shape != onto.shape or codes.ndim != 2 or not codes.size:
        raise ValueError(
            f"Codes of {codes.shape} cannot be aligned to codes of {onto.shape}: both must be "
            "(n, d), of the same images, and at least one."
        )
    centre, target = codes.mean(axis=0, dtype=np.float64), onto.mean(axis=0, dtype=np.float64)
    shared = (codes - centre).T @ (onto - target)
    scale = float(np.abs(shared).max())
    tie = np.eye(len(shared)) * (_TIE * scale if scale > 0 else 1.0)
    left, _, right = np.linalg.svd(shared + tie)
    return Alignment(left @ right, centre, target)


def chain_alignments(tables: Iterable[NDArray[np.floating]]) -> Iterator[Alignment]:
    """Aligns every checkpoint to the next one, and through it to the last.

    Neighbours are alike, so that the turn from one to the next is well determined, while the first
    and the last codes may have little in common.

    Parameters
    ----------
    tables
        (n, d) codes of the checkpoints, from the last one back to the first. Two are held at once.

    Yields
    ------
    The motion of each, in the same order, into the space of the last; the first is the identity.
    """
    after: NDArray[np.float64] | None = None
    for codes in tables:
        motion = identity(codes.shape[1]) if after is None else procrustes(codes, after)
        after = motion.apply(codes)
        yield motion


def between(
    first: NDArray[np.floating], second: NDArray[np.floating], share: float
) -> NDArray[np.floating]:
    """Interpolates between `first` (0) and `second` (1) on a straight line.

    Of places in a plane it is what is seen of the codes at that share, for a projection is affine.
    """
    part: NDArray[np.floating] = first + (second - first) * share
    return part


def ease(share: float) -> float:
    """Converts a share of the time, 0..1, to a share of the distance: 3t² − 2t³."""
    return share * share * (3 - 2 * share)
