"""The meaning of a name such as x_train or kmnist-test-labels: its role, its split and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "validation", "test"]
Role = Literal["images", "labels"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""The splits in the order of their numbers in `Source.splits`."""

_SPLIT_WORDS: dict[Split, frozenset[str]] = {
    "train": frozenset("train training trn trainset trainingset trainval tr".split()),
    "validation": frozenset("val valid validation valset validset validationset dev".split()),
    "test": frozenset("test testing tst testset testingset".split()),
}
_ROLE_WORDS: dict[Role, frozenset[str]] = {
    "images": frozenset("x image images img imgs pixels picture pictures photo photos data".split())
    | frozenset(["arr0"]),
    "labels": frozenset("y label labels lbl lbls target targets class classes category".split())
    | frozenset(["arr1"]),
}
_FILLERS = frozenset("set idx ubyte".split())
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(r"(?i)^([xy])(train|test|val)")


@dataclass(frozen=True, slots=True)
class NameParts:
    """The parts of a name.

    Attributes
    ----------
    role
        Whether the name is one of images or of labels; None where it does not say.
    split
        The split that the name gives; None where it does not say.
    stem
        All other words of the name. Images and labels that belong together share it.
    """

    role: Role | None
    split: Split | None
    stem: tuple[str, ...]


def parse_name(name: str) -> NameParts:
    """Splits the name of an array or of a file into role, split and stem."""
    words = _list_words(name)
    split = next((split for word in words if (split := _find_split(word))), None)
    role = next((role for word in reversed(words) if (role := _find_role(word))), None)
    known = _FILLERS | frozenset().union(*_SPLIT_WORDS.values(), *_ROLE_WORDS.values())
    return NameParts(role, split, tuple(word for word in words if word not in known))


def split_of_name(name: str) -> Split | None:
    """Returns the split that a name gives: "validation" for `seg_val`; None where it gives none."""
    return parse_name(name).split


def _list_words(name: str) -> list[str]:
    plain = re.sub(r"(?i)t10k", "test", name)
    plain = re.sub(r"(?i)arr_(\d)", r"arr\1", plain)
    plain = _GLUED.sub(r"\1_\2", plain)
    return [
        word.lower()
        for part in re.split(r"(?i)(arr\d)", plain)
        for word in ([part] if re.fullmatch(r"(?i)arr\d", part) else _WORD.findall(part))
    ]


def _find_split(word: str) -> Split | None:
    return next((split for split, words in _SPLIT_WORDS.items() if word in words), None)


def _find_role(word: str) -> Role | None:
    return next((role for role, words in _ROLE_WORDS.items() if word in words), None)
