"""The steps at which a run writes checkpoints."""

from __future__ import annotations

LANDMARKS = (10_000, 30_000, 50_000)
"""Steps at which the paper shows its reconstructions."""


def default_checkpoints(steps: int) -> tuple[int, ...]:
    """Returns about 25 steps, denser early.

    They are 0, then 1-2-5 per decade up to 1,000, then evenly spaced to the end.
    """
    early = (0, 10, 20, 50, 100, 200, 500, 1_000)
    stride = max(1_000, _round_up(steps / 20))
    late = range(stride, steps + 1, stride)
    return tuple(sorted(s for s in {*early, *late, *LANDMARKS, steps} if s <= steps))


def spaced_checkpoints(steps: int, spacing: int) -> tuple[int, ...]:
    """Returns every `spacing`-th step from 0, and the last step."""
    return tuple(sorted({*range(0, steps + 1, spacing), steps}))


def _round_up(value: float) -> int:
    """Returns the next 1, 2, 2.5 or 5 times a power of ten, so that the steps are round numbers."""
    power = 1
    while power * 10 < value:
        power *= 10
    return int(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= value))
