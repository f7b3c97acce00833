"""What can be wrong with an image that is imported: named, counted, and listed in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

FlawKind = Literal[
    "no image",
    "truncated",
    "another size",
    "not a number",
    "label that does not fit",
    "path outside",
    "too large",
]

_MOST_NAMED = 1_000
_MOST_SHOWN = 5


class FlawError(Exception):
    """One image cannot be taken; `kind` says why in general, the message in particular."""

    def __init__(self, kind: FlawKind, detail: str) -> None:
        super().__init__(detail)
        self.kind: FlawKind = kind


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with which image."""

    name: str
    kind: FlawKind
    detail: str


@dataclass
class Flaws:
    """All that is wrong: every one counted, the first thousand by name."""

    named: list[Flaw] = field(default_factory=list)
    counts: Counter[FlawKind] = field(default_factory=Counter)

    def add(self, flaw: Flaw) -> None:
        """Takes in one more."""
        self.counts[flaw.kind] += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(flaw)

    @property
    def total(self) -> int:
        """How many images there are that cannot be taken."""
        return self.counts.total()

    @property
    def summary(self) -> str:
        """How many of each kind: "3 truncated, 1 no image"."""
        return ", ".join(f"{count:,} {kind}" for kind, count in self.counts.most_common())

    def lines(self, most: int = _MOST_SHOWN) -> list[str]:
        """The first few of each kind by name, a line each, and how many more there are."""
        found = []
        for kind, count in self.counts.most_common():
            of_kind = [flaw for flaw in self.named if flaw.kind == kind][:most]
            found += [f"{flaw.name}: {kind} ({flaw.detail})" for flaw in of_kind]
            if count > len(of_kind):
                found.append(f"… and {count - len(of_kind):,} more: {kind}")
        return found
