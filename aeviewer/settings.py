"""What the program stores between starts, in the system's place for settings."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Literal, cast, get_args

from PySide6.QtCore import QByteArray, QSettings

from aeviewer.palette import RUN_COLOURS
from trainers.config_types import Device

if TYPE_CHECKING:
    from collections.abc import Collection

Theme = Literal["system", "light", "dark", "contrast"]

LOCALES = ("system", "en_US", "de_DE", "fr_FR", "de_CH", "en_IN")
"""Languages that differ in how they write numbers."""
SPACINGS = (0, 500, 1_000, 2_500, 5_000, 10_000)
"""The choices of steps between checkpoints; 0 means denser at the beginning."""
_MOST_FOLDERS = 8


class Settings:
    """Typed access to the stored settings.

    Parameters
    ----------
    store
        Where they lie; the user's own settings where left out.
    """

    def __init__(self, store: QSettings | None = None) -> None:
        self._store = store or QSettings("aeviewer", "aeviewer")

    @property
    def theme(self) -> Theme:
        """The theme."""
        kept = str(self._store.value("theme", "system"))
        return cast("Theme", kept) if kept in {"light", "dark", "contrast"} else "system"

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._store.setValue("theme", theme)

    @property
    def side_by_side(self) -> int:
        """The number of runs that are trained at once."""
        kept = str(self._store.value("training/side_by_side", "1"))
        return max(1, int(kept)) if kept.isdecimal() else 1

    @side_by_side.setter
    def side_by_side(self, runs: int) -> None:
        self._store.setValue("training/side_by_side", runs)

    @property
    def threads(self) -> int:
        """The number of threads of a step; 0 leaves it to torch."""
        kept = str(self._store.value("training/threads", "0"))
        return int(kept) if kept.isdecimal() else 0

    @threads.setter
    def threads(self, threads: int) -> None:
        self._store.setValue("training/threads", threads)

    @property
    def device(self) -> str:
        """The device of new runs, as `trainers.config.Device` names it."""
        kept = str(self._store.value("training/device", "auto"))
        return kept if kept in get_args(Device) else "auto"

    @device.setter
    def device(self, device: str) -> None:
        self._store.setValue("training/device", device)

    @property
    def checkpoint_spacing(self) -> int:
        """The steps between checkpoints of new runs; 0 means denser at the beginning."""
        kept = str(self._store.value("training/checkpoint_spacing", "0"))
        return int(kept) if kept in map(str, SPACINGS) else 0

    @checkpoint_spacing.setter
    def checkpoint_spacing(self, steps: int) -> None:
        self._store.setValue("training/checkpoint_spacing", steps)

    @property
    def numbers(self) -> str:
        """The language of numbers: the name of a locale, or "system"."""
        kept = str(self._store.value("numbers", "system"))
        return kept if kept in LOCALES else "system"

    @numbers.setter
    def numbers(self, locale: str) -> None:
        self._store.setValue("numbers", locale)

    @property
    def tour_seen(self) -> bool:
        """Whether the tour was seen, or skipped."""
        return str(self._store.value("tour", "")) == "seen"

    @tour_seen.setter
    def tour_seen(self, seen: bool) -> None:
        self._store.setValue("tour", "seen" if seen else "")

    @property
    def folders(self) -> list[str]:
        """The runs folders that were open, the last one first."""
        kept = self._store.value("folders", [])
        # A list of one item is returned as the item.
        return [str(kept)] if isinstance(kept, str) else [str(f) for f in cast("list[str]", kept)]

    def remember_folder(self, folder: str) -> None:
        """Puts a runs folder before all others."""
        others = [f for f in self.folders if f != folder]
        self._store.setValue("folders", [folder, *others][:_MOST_FOLDERS])

    @property
    def writes_events(self) -> bool:
        """Whether TensorBoard events are written while runs are trained."""
        return str(self._store.value("training/events", "")) == "yes"

    @writes_events.setter
    def writes_events(self, writes: bool) -> None:
        self._store.setValue("training/events", "yes" if writes else "no")

    @property
    def exports(self) -> tuple[tuple[str, ...], str]:
        """The last exports by name, and their folder; empty at the first time."""
        names = str(self._store.value("export/names", "")).split()
        return tuple(names), str(self._store.value("export/folder", ""))

    @exports.setter
    def exports(self, last: tuple[tuple[str, ...], str]) -> None:
        names, folder = last
        self._store.setValue("export/names", " ".join(names))
        self._store.setValue("export/folder", folder)

    def layout(self) -> tuple[QByteArray, QByteArray]:
        """The geometry and dock state of the window; empty at the first start."""
        geometry = self._store.value("window/geometry", QByteArray())
        state = self._store.value("window/state", QByteArray())
        return cast("QByteArray", geometry), cast("QByteArray", state)

    def set_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Stores the geometry and dock state of the window."""
        self._store.setValue("window/geometry", geometry)
        self._store.setValue("window/state", state)

    @property
    def compare_geometry(self) -> QByteArray:
        """The geometry of the window that compares runs; empty at the first time."""
        return cast("QByteArray", self._store.value("compare/geometry", QByteArray()))

    @compare_geometry.setter
    def compare_geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("compare/geometry", geometry)

    @property
    def current(self) -> str:
        """The run that was shown last."""
        return str(self._store.value("current", ""))

    @current.setter
    def current(self, run: str) -> None:
        self._store.setValue("current", run)

    @property
    def metric(self) -> str:
        """The metric that the list of runs shows; empty for none."""
        return str(self._store.value("metric", "squared_error_per_pixel"))

    @metric.setter
    def metric(self, key: str) -> None:
        self._store.setValue("metric", key)

    def colour(self, run: str, used: Collection[str] = ()) -> str:
        """Returns the colour of a run, the same as long as the run exists.

        A new run gets a rare one.
        """
        place = f"{_group(run)}/colour"
        kept = self._store.value(place)
        if isinstance(kept, str):
            return kept
        count = Counter(used)
        colour = min(RUN_COLOURS, key=lambda colour: count[colour])
        self._store.setValue(place, colour)
        return colour

    def is_hidden(self, run: str) -> bool:
        """Returns whether a run is hidden in the plots."""
        return str(self._store.value(f"{_group(run)}/hidden", "")) == "yes"

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
