"""The range of pixel values: what was found, and which values become black and white.

One range holds for all images of a source that have the same type of number. A single value, or a
few in a thousand, do not decide it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.datasets.importing.import_errors import FlawError

Bounds = tuple[float, float]

KNOWN_BOUNDS: tuple[Bounds, ...] = ((0, 1), (-0.5, 0.5), (-1, 1), (0, 255), (0, 65_535))
"""The ranges that images usually have; the first that fits is taken."""
MOST_BEYOND = 0.005
"""The share of all fractions other than 0 that may lie beyond a known range; they are clipped."""

_FAR_BELOW = 1 / 3
"""Below this share of the known range, the brightest value is far below it."""
_LEAST_NEGATIVE = 0.5
"""The share of a range's negative half that the values must reach."""
_OUTLIERS, _OUTLIERS_AN_IMAGE = 0.001, 0.05
"""The share of the values that may be outliers at each end, and the number of them an image."""
_FAR_OUT = 2
"""An outlier is this many times farther out than all other values."""
_BUCKETS = 1 << 16
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class ValueStatistics:
    """What was found out about all values of one type.

    Attributes
    ----------
    kind
        The type of the numbers.
    low, high
        The lowest and the highest value.
    inner_low, inner_high
        The same without outliers.
    count, coloured
        The number of values, and of those that are not 0.
    beyond
        The number of values beyond each known range.
    """

    kind: np.dtype[np.generic]
    low: float
    high: float
    inner_low: float
    inner_high: float
    count: int
    coloured: int
    beyond: dict[Bounds, int]


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values that become black and white.

    Attributes
    ----------
    low, high
        The value that becomes 0, and the value that becomes 255.
    found
        What was found out about the values; None where they were not looked at.
    reason
        Why these bounds are taken: "known", "stretched", "chosen" or "unknown".
    """

    low: float
    high: float
    found: ValueStatistics | None = None
    reason: str = "known"

    @property
    def clipped(self) -> int:
        """The number of values beyond the range, where it is a known one."""
        return self.found.beyond.get((self.low, self.high), 0) if self.found else 0

    def to_bytes(self, pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Returns pixels as bytes, rounded and clipped.

        Raises
        ------
        FlawError
            When one is not a finite number.
        """
        if pixels.dtype == np.uint8 and (self.low, self.high) == (0, 255):
            return np.array(pixels, np.uint8)
        values = pixels.astype(np.float64)
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            raise FlawError("not a number", f"{wrong:,} of its numbers are NaN or infinite")
        scaled = ((values - self.low) * (255 / (self.high - self.low))).clip(0, 255)
        return np.asarray(np.rint(scaled), np.uint8)

    def description(self) -> str:
        """Says in sentences which values were found and how they are taken."""
        if self.found is None or self.found.count == 0:
            return f"Values are taken from {self.low:g} to {self.high:g}."
        found = self.found
        taken = f"{self.low:g} becomes black and {self.high:g} white"
        text = f"The values go from {found.low:g} to {found.high:g} ({found.kind.name}); {taken}"
        if self.reason == "stretched":
            usual = usual_bounds(found)
            if usual is not None:
                text += f", because the brightest is far below {usual[1]:g}"
        if self.clipped:
            text += f". {self.clipped:,} of {found.count:,} values lie beyond and are clipped"
        elif self.low > found.low or self.high < found.high:
            text += ". Values beyond are clipped"
        return f"{text}."


class ValueSurvey:
    """Looks at values in chunks.

    Parameters
    ----------
    kind
        The type of the numbers.
    """

    def __init__(self, kind: np.dtype[np.generic]) -> None:
        self._kind = kind
        self._low, self._high = np.inf, -np.inf
        self._count = self._coloured = self._images = 0
        self._beyond = dict.fromkeys(_candidates(kind), 0)
        self._buckets = np.zeros(_BUCKETS, np.int64)
        self._is_plain = kind in (np.uint8, np.bool_)

    def add(self, values: NDArray[np.generic], images: int = 1) -> None:
        """Adds the values of some images, in any shape."""
        if not values.size:
            return
        self._images += images
        if self._is_plain:
            self._add_extremes(values.min(), values.max(), values.size)
            return
        numbers = values.astype(np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if not numbers.size:
            return
        self._add_extremes(numbers.min(), numbers.max(), numbers.size)
        self._coloured += int(np.count_nonzero(numbers))
        for low, high in self._beyond:
            self._beyond[low, high] += int(((numbers < low) | (numbers > high)).sum())
        self._buckets += np.bincount(_bucket_of(numbers), minlength=_BUCKETS)

    def statistics(self) -> ValueStatistics:
        """Returns what was found out about all values that were added."""
        low, high = float(self._low), float(self._high)
        inner_low, inner_high = (low, high) if self._is_plain else self._find_inner(low, high)
        return ValueStatistics(
            self._kind, low, high, inner_low, inner_high, self._count, self._coloured, self._beyond
        )

    def _add_extremes(self, low: object, high: object, count: int) -> None:
        self._low = min(self._low, float(low))  # type: ignore[arg-type]
        self._high = max(self._high, float(high))  # type: ignore[arg-type]
        self._count += count

    def _find_inner(self, low: float, high: float) -> Bounds:
        """Returns the lowest and the highest value without outliers."""
        if not self._count:
            return low, high
        totals = self._buckets.cumsum()
        most = int(min(_OUTLIERS * self._coloured, _OUTLIERS_AN_IMAGE * self._images))
        first = int(np.searchsorted(totals, most, "right"))
        last = int(np.searchsorted(totals, self._count - most, "left"))
        inner_low = max(low, _bucket_edges(first)[0])
        inner_high = min(high, _bucket_edges(last)[1])
        span = inner_high - inner_low
        is_far_low = inner_low - low > (_FAR_OUT - 1) * span
        is_far_high = high - inner_high > (_FAR_OUT - 1) * span
        return (inner_low if is_far_low else low), (inner_high if is_far_high else high)


def choose_range(found: ValueStatistics) -> ValueRange:
    """Chooses the bounds for what was found.

    The known range that fits is taken. Where the brightest value is far below it, the values are
    stretched to their own range. Where no known range fits, the reason is "unknown" and the bounds
    are those of the data: the user decides.
    """
    usual = usual_bounds(found)
    own = own_bounds(found)
    if usual is None:
        return ValueRange(*own, found, "unknown")
    is_dark = found.inner_high - usual[0] < _FAR_BELOW * (usual[1] - usual[0])
    if is_dark and found.inner_high > found.inner_low:
        return ValueRange(*own, found, "stretched")
    return ValueRange(*usual, found)


def fit_range(found: ValueStatistics, *, is_stretched: bool) -> ValueRange:
    """Returns the data's own range, or the usual range where there is one."""
    usual = None if is_stretched else usual_bounds(found)
    if usual is not None:
        return ValueRange(*usual, found)
    return ValueRange(*own_bounds(found), found, "stretched" if is_stretched else "unknown")


def own_bounds(found: ValueStatistics) -> Bounds:
    """Returns the range of the data itself, without outliers; never empty."""
    low, high = found.inner_low, found.inner_high
    if not low < high:
        return (0, 255) if low > high else (low, low + 1)
    return low, high


def usual_bounds(found: ValueStatistics) -> Bounds | None:
    """Returns the first known range that fits what was found; None where none does."""
    fits = (bounds for bounds in _candidates(found.kind) if _is_fitting(bounds, found))
    return next(fits, None)


def default_range(kind: np.dtype[np.generic]) -> ValueRange:
    """Returns the range of a type of number whose values were not looked at."""
    return ValueRange(*_candidates(kind)[0])


def _candidates(kind: np.dtype[np.generic]) -> tuple[Bounds, ...]:
    if kind == np.bool_:
        return ((0, 1),)
    if kind.kind not in "iu":
        return KNOWN_BOUNDS
    limits = np.iinfo(kind.name)
    if kind.itemsize == 1:
        return ((0, 255),) if kind.kind == "u" else ((int(limits.min), int(limits.max)), (0, 127))
    top = 32_767 if kind == np.int16 else 65_535
    return ((-1, 1), (0, 255), (0, top)) if kind.kind == "i" else ((0, 255), (0, top))


def _is_fitting(bounds: Bounds, found: ValueStatistics) -> bool:
    if not found.count or found.kind in (np.uint8, np.bool_):
        return True
    low = bounds[0]
    if low < 0 and found.inner_low > _LEAST_NEGATIVE * low:
        return False
    most = MOST_BEYOND * found.coloured if found.kind.kind == "f" else 0
    return found.beyond[bounds] <= most


def _bucket_of(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the bucket of each number: its sign, exponent and seven bits, in rising order."""
    bits = numbers.clip(-_LARGEST, _LARGEST).astype(np.float32).view(np.uint32) >> 16
    is_negative = bits >= _BUCKETS // 2
    return np.where(is_negative, _BUCKETS - 1 - bits, bits + _BUCKETS // 2).astype(np.int64)


def _bucket_edges(bucket: int) -> Bounds:
    """Returns the lowest and the highest number of a bucket."""
    is_negative = bucket < _BUCKETS // 2
    bits = _BUCKETS - 1 - bucket if is_negative else bucket - _BUCKETS // 2
    edges = np.array([bits << 16, (bits << 16) | 0xFFFF], np.uint32).view(np.float32)
    low, high = sorted(float(edge) for edge in edges)
    return low, high
