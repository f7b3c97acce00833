"""Which images are for training, which for validation and which for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainers.datasets.description import PREVIEW_COUNT
from trainers.datasets.sources.array_names import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trainers.datasets.sources import Source

MOST_TEST_IMAGES = 10_000

_TEST_SHARE = 10
_SPLIT_SEED = 0x5917
_TRAIN, _VALIDATION, _TEST = range(len(SPLITS))


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """The split of a source.

    Attributes
    ----------
    candidates
        The images that may become test images, in this order.
    tests
        How many of them do. Others take the place of those that cannot be read.
    validation
        The images that are kept apart for validation.
    reason
        Where the test images come from: "own", "validation", "few" or "none".
    """

    candidates: NDArray[np.intp]
    tests: int
    validation: NDArray[np.intp]
    reason: Literal["own", "validation", "few", "none"]

    @property
    def description(self) -> str:
        """Says in a sentence where the test images come from."""
        match self.reason:
            case "own":
                return "The test images are the source's own."
            case "validation":
                return "There are no test images, so the validation images are the test images."
            case "few":
                return (
                    f"The source's own split leaves fewer than {PREVIEW_COUNT} images for training "
                    f"or testing, so {self.tests:,} test images are drawn from all."
                )
        return f"The source has no test images: {self.tests:,} are drawn from all."


def plan_splits(
    source: Source, *, has_labels: bool = True, joins_validation: bool = False
) -> SplitPlan:
    """Plans the split of a source.

    Its own test images are taken, if they are enough. Without test images, its validation images
    are. Otherwise a tenth is drawn by a fixed seed.

    Parameters
    ----------
    source
        The images.
    has_labels
        Whether labels are taken over. If so, images without one are no test images.
    joins_validation
        Whether the validation images become training images.
    """
    none = np.empty(0, np.intp)
    if source.splits is None:
        return _draw(np.arange(source.count), none, "none")
    splits = source.splits.copy()
    is_usable = np.ones(source.count, np.bool_)
    if has_labels and source.labelled is not None:
        is_usable = source.labelled
    if joins_validation:
        splits[splits == _VALIDATION] = _TRAIN
    reason: Literal["own", "validation"] = "own"
    if not ((splits == _TEST) & is_usable).any() and (splits == _VALIDATION).any():
        splits[splits == _VALIDATION] = _TEST
        reason = "validation"
    validation = np.flatnonzero(splits == _VALIDATION)
    tests, training = (np.flatnonzero((splits == part) & is_usable) for part in (_TEST, _TRAIN))
    if len(tests) >= PREVIEW_COUNT and len(training) >= PREVIEW_COUNT:
        return SplitPlan(tests, len(tests), validation, reason)
    is_none = not (splits == _TEST).any()
    drawn = np.flatnonzero(splits != _VALIDATION)
    return _draw(drawn, validation, "none" if is_none else "few")


def _draw(
    images: NDArray[np.intp], validation: NDArray[np.intp], reason: Literal["few", "none"]
) -> SplitPlan:
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    tests = min(MOST_TEST_IMAGES, max(PREVIEW_COUNT, len(images) // _TEST_SHARE))
    return SplitPlan(images[order], tests, validation, reason)
