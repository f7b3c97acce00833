"""What the program stores between starts, in the system's place for settings.

A stored value is data: whatever a key holds, it is checked, and its default takes its place where
it cannot be used. The log says so once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeVar, cast, get_args

from PySide6.QtCore import QByteArray, QSettings

from aeviewer.palette import RUN_COLOURS
from aeviewer.startup.qt_streams import forbid_unpickling
from trainers.config_types import Device
from trainers.runs.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Theme = Literal["system", "light", "dark", "contrast"]
Value = TypeVar("Value")

LOCALES = ("system", "en_US", "de_DE", "fr_FR", "de_CH", "en_IN")
"""Languages that differ in how they write numbers."""
SPACINGS = (0, 500, 1_000, 2_500, 5_000, 10_000)
"""The choices of steps between checkpoints; 0 means denser at the beginning."""
MOST_THREADS = 256
"""The largest number of threads of a step, and of runs at once."""
_MOST_FOLDERS = 8
_MOST_LETTERS, _MOST_BYTES = 4_096, 1_000_000
_METRIC = "squared_error_per_pixel"
_ANSWERS = ("", "yes", "no")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

logger = logging.getLogger(__name__)


class Settings:
    """Typed access to the stored settings.

    Parameters
    ----------
    store
        Where they lie; the user's own settings where left out.
    """

    def __init__(self, store: QSettings | None = None) -> None:
        forbid_unpickling()
        self._store = store or QSettings("aeviewer", "aeviewer")
        self._refused: set[str] = set()
        if self._store.status() != QSettings.Status.NoError:
            logger.warning(
                "The settings in %s cannot be read whole (%s). The default of each unreadable "
                "setting is used.",
                self._store.fileName(),
                self._store.status().name,
            )

    def _read(self, key: str, default: Value, check: Callable[[object], Value | None]) -> Value:
        """Returns the value of a key; its default where `check` finds that it cannot be used."""
        if not self._store.contains(key):
            return default
        kept = self._store.value(key)
        found = check(kept)
        return self._refuse(key, kept, default) if found is None else found

    def _refuse(self, key: str, kept: object, default: Value) -> Value:
        if key not in self._refused:
            self._refused.add(key)
            logger.warning(
                "The setting %s is %.80r, which cannot be used. Its default is used until the "
                "setting is chosen again.",
                key,
                kept,
            )
        return default

    @property
    def theme(self) -> Theme:
        """The theme."""
        return cast("Theme", self._read("theme", "system", _one_of(get_args(Theme))))

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._store.setValue("theme", theme)

    @property
    def side_by_side(self) -> int:
        """The number of runs that are trained at once."""
        return self._read("training/side_by_side", 1, _number_from(1))

    @side_by_side.setter
    def side_by_side(self, runs: int) -> None:
        self._store.setValue("training/side_by_side", runs)

    @property
    def threads(self) -> int:
        """The number of threads of a step; 0 leaves it to torch."""
        return self._read("training/threads", 0, _number_from(0))

    @threads.setter
    def threads(self, threads: int) -> None:
        self._store.setValue("training/threads", threads)

    @property
    def device(self) -> str:
        """The device of new runs, as `trainers.config.Device` names it."""
        return self._read("training/device", "auto", _one_of(get_args(Device)))

    @device.setter
    def device(self, device: str) -> None:
        self._store.setValue("training/device", device)

    @property
    def checkpoint_spacing(self) -> int:
        """The steps between checkpoints of new runs; 0 means denser at the beginning."""
        spacings = [str(steps) for steps in SPACINGS]
        return int(self._read("training/checkpoint_spacing", "0", _one_of(spacings)))

    @checkpoint_spacing.setter
    def checkpoint_spacing(self, steps: int) -> None:
        self._store.setValue("training/checkpoint_spacing", steps)

    @property
    def numbers(self) -> str:
        """The language of numbers: the name of a locale, or "system"."""
        return self._read("numbers", "system", _one_of(LOCALES))

    @numbers.setter
    def numbers(self, locale: str) -> None:
        self._store.setValue("numbers", locale)

    @property
    def tour_seen(self) -> bool:
        """Whether the tour was seen, or skipped."""
        return self._read("tour", "", _one_of(("", "seen"))) == "seen"

    @tour_seen.setter
    def tour_seen(self, seen: bool) -> None:
        self._store.setValue("tour", "seen" if seen else "")

    @property
    def folders(self) -> list[str]:
        """The runs folders that were open, the last one first."""
        empty: list[str] = []
        return self._read("folders", empty, _texts)[:_MOST_FOLDERS]

    def remember_folder(self, folder: str) -> None:
        """Puts a runs folder before all others."""
        others = [f for f in self.folders if f != folder]
        self._store.setValue("folders", [folder, *others][:_MOST_FOLDERS])

    @property
    def writes_events(self) -> bool:
        """Whether TensorBoard events are written while runs are trained."""
        return self._read("training/events", "", _one_of(_ANSWERS)) == "yes"

    @writes_events.setter
    def writes_events(self, writes: bool) -> None:
        self._store.setValue("training/events", "yes" if writes else "no")

    @property
    def exports(self) -> tuple[tuple[str, ...], str]:
        """The last exports by name, and their folder; empty at the first time."""
        names = self._read("export/names", "", _text).split()
        return tuple(names), self._read("export/folder", "", _text)

    @exports.setter
    def exports(self, last: tuple[tuple[str, ...], str]) -> None:
        names, folder = last
        self._store.setValue("export/names", " ".join(names))
        self._store.setValue("export/folder", folder)

    def layout(self) -> tuple[QByteArray, QByteArray]:
        """The geometry and dock state of the window; empty at the first start."""
        geometry = self._read("window/geometry", QByteArray(), _bytes)
        state = self._read("window/state", QByteArray(), _bytes)
        # Qt trusts the state of docks: one flipped bit of it can end the program.
        expected = self._read("window/checksum", "", _text)
        if expected and expected != _checksum(geometry, state):
            return self._refuse("window/checksum", expected, (QByteArray(), QByteArray()))
        return geometry, state

    def set_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Stores the geometry and dock state of the window."""
        self._store.setValue("window/geometry", geometry)
        self._store.setValue("window/state", state)
        self._store.setValue("window/checksum", _checksum(geometry, state))

    @property
    def compare_geometry(self) -> QByteArray:
        """The geometry of the window that compares runs; empty at the first time."""
        return self._read("compare/geometry", QByteArray(), _bytes)

    @compare_geometry.setter
    def compare_geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("compare/geometry", geometry)

    @property
    def current(self) -> str:
        """The run that was shown last."""
        return self._read("current", "", _text)

    @current.setter
    def current(self, run: str) -> None:
        self._store.setValue("current", run)

    @property
    def metric(self) -> str:
        """The metric that the list of runs shows; empty for none."""
        return self._read("metric", _METRIC, _one_of(("", *METRICS)))

    @metric.setter
    def metric(self, key: str) -> None:
        self._store.setValue("metric", key)

    def colour(self, run: str, used: Collection[str] = ()) -> str:
        """Returns the colour of a run, the same as long as the run exists.

        A new run gets a rare one.
        """
        place = f"{_group(run)}/colour"
        kept = self._read(place, "", _colour)
        if kept:
            return kept
        count = Counter(used)
        colour = min(RUN_COLOURS, key=lambda colour: count[colour])
        self._store.setValue(place, colour)
        return colour

    def is_hidden(self, run: str) -> bool:
        """Returns whether a run is hidden in the plots."""
        return self._read(f"{_group(run)}/hidden", "", _one_of(_ANSWERS)) == "yes"

    def set_hidden(self, run: str, hidden: bool) -> None:
        """Hides a run in the plots, or shows it."""
        self._store.setValue(f"{_group(run)}/hidden", "yes" if hidden else "no")

    def move(self, run: str, renamed: str) -> None:
        """Moves the settings of a run to its new name."""
        for name in ("colour", "hidden"):
            kept = self._store.value(f"{_group(run)}/{name}")
            if kept is not None:
                self._store.setValue(f"{_group(renamed)}/{name}", kept)
        self.forget(run)

    def forget(self, run: str) -> None:
        """Removes the settings of a run."""
        self._store.remove(_group(run))


def _group(run: str) -> str:
    """Returns the digest of a run's folder, because settings keys may not contain slashes."""
    return f"runs/{hashlib.sha256(run.encode()).hexdigest()[:16]}"


def _text(kept: object) -> str | None:
    """Returns a text of one line and of usual length; None for any other value."""
    is_text = isinstance(kept, str) and len(kept) <= _MOST_LETTERS and "\0" not in kept
    return cast("str", kept) if is_text else None


def _texts(kept: object) -> list[str] | None:
    """Returns texts; one text is stored as the text alone."""
    listed = kept if isinstance(kept, list) else [kept]
    texts = [text for text in map(_text, listed) if text]
    return texts if len(texts) == len(listed) else None


def _one_of(choices: Collection[str]) -> Callable[[object], str | None]:
    return lambda kept: str(kept) if isinstance(kept, str | int) and str(kept) in choices else None


def _number_from(least: int) -> Callable[[object], int | None]:
    """Returns a check for a number of threads or runs."""

    def check(kept: object) -> int | None:
        text = str(kept) if isinstance(kept, str | int) else ""
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
        return number if least <= number <= MOST_THREADS else None

    return check


def _bytes(kept: object) -> QByteArray | None:
    """Returns bytes; an empty array is stored as an empty text."""
    if kept == "":
        return QByteArray()
    return kept if isinstance(kept, QByteArray) and kept.size() <= _MOST_BYTES else None


def _colour(kept: object) -> str | None:
    return kept if isinstance(kept, str) and _COLOUR.fullmatch(kept) else None


def _checksum(*parts: QByteArray) -> str:
    return hashlib.sha256(b"".join(part.data() for part in parts)).hexdigest()
