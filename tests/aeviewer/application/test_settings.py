"""Settings are data: no stored value runs anything, or keeps the window closed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QByteArray, QPoint, QRect, QSettings, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from aeviewer.app import Program
from aeviewer.settings import Settings
from aeviewer.widgets.displays.window_geometry import restore_geometry

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

RUN = "/runs/mine"
READERS: dict[str, Callable[[Settings], object]] = {
    "theme": lambda s: s.theme,
    "training/side_by_side": lambda s: s.side_by_side,
    "training/threads": lambda s: s.threads,
    "training/device": lambda s: s.device,
    "training/checkpoint_spacing": lambda s: s.checkpoint_spacing,
    "numbers": lambda s: s.numbers,
    "tour": lambda s: s.tour_seen,
    "folders": lambda s: s.folders,
    "training/events": lambda s: s.writes_events,
    "export/names": lambda s: s.exports,
    "export/folder": lambda s: s.exports,
    "window/geometry": lambda s: s.layout(),
    "window/state": lambda s: s.layout(),
    "window/checksum": lambda s: s.layout(),
    "compare/geometry": lambda s: s.compare_geometry,
    "current": lambda s: s.current,
    "metric": lambda s: s.metric,
    "runs/4a9d7c1fa2a3f0e6/colour": lambda s: s.colour(RUN),
    "runs/4a9d7c1fa2a3f0e6/hidden": lambda s: s.is_hidden(RUN),
}
TEXTS = {"folders", "export/names", "export/folder", "current", "window/checksum"}
"""Keys that may hold any text."""
BAD = {
    "nothing": None,
    "a number": 10**9,
    "a negative number": -1,
    "a fraction": 1.5,
    "a truth value": True,
    "a text": "no such value",
    "a long text": "a" * 100_000,
    "a text with NUL": "a\0b",
    "another script's digits": "٣",
    "texts": ["a", "b\0"],
    "lists": [["a"], 1, None],
    "a dictionary": {"a": 1},
    "bytes": QByteArray(b"\xff\xfe junk"),
    "many bytes": QByteArray(b"a" * 2_000_000),
    "a rectangle": QRect(1, 2, 3, 4),
    "a point": QPoint(1, 2),
}


def make_store(place: Path, values: dict[str, object]) -> QSettings:
    """Writes values into a file, and returns another reader of the file."""
    store = QSettings(str(place), QSettings.Format.IniFormat)
    for key, value in values.items():
        store.setValue(key, value)
    store.sync()
    del store
    return QSettings(str(place), QSettings.Format.IniFormat)


def place_of(key: str) -> str:
    """Returns a key; that of a run is a digest of the run's folder."""
    from aeviewer.settings import _group

    return f"{_group(RUN)}/{key.rpartition('/')[2]}" if key.startswith("runs/") else key


def fits(key: str, kind: str) -> bool:
    """Returns whether a value of this kind is a good one of the key."""
    is_text = kind in {"a text", "another script's digits", "a number", "a negative number"}
    is_text |= kind in {"a fraction", "a truth value"}
    has_bytes = key in {"window/geometry", "window/state", "compare/geometry"}
    return (key in TEXTS and is_text) or (has_bytes and kind == "bytes")


CASES = [(key, kind) for key in READERS for kind in BAD if not fits(key, kind)]


@pytest.mark.parametrize(("key", "kind"), CASES)
def test_a_bad_value_is_its_default_and_said_once(
    key: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    default = READERS[key](Settings(make_store(tmp_path / "none.ini", {})))
    settings = Settings(make_store(tmp_path / "bad.ini", {place_of(key): BAD[kind]}))
    assert READERS[key](settings) == default
    assert READERS[key](settings) == default
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1, said
    assert place_of(key) in said[0]
    assert len(said[0]) < 500


@pytest.mark.parametrize("kind", BAD)
def test_the_window_opens_with_any_settings(kind: str, tmp_path: Path, qtbot: QtBot) -> None:
    values = {place_of(key): BAD[kind] for key in READERS}
    settings = Settings(make_store(tmp_path / "bad.ini", values))
    settings.remember_folder("/runs")
    program = Program(tmp_path / "runs", settings)
    qtbot.addWidget(program.window)
    program.window.show()
    program.window.compare([])
    qtbot.waitUntil(lambda: program.window.isVisible() and bool(program.window.compare_window))
    program.window.close()
    program.close()
    again = Settings(QSettings(str(tmp_path / "bad.ini"), QSettings.Format.IniFormat))
    assert not again.layout()[1].isEmpty()


def test_good_values_are_kept(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.theme, settings.numbers, settings.device = "contrast", "de_CH", "cpu"
    settings.side_by_side, settings.threads, settings.checkpoint_spacing = 3, 2, 500
    settings.tour_seen, settings.writes_events, settings.metric = True, True, ""
    settings.exports = ("onnx", "csv"), "/a folder, with a comma"
    settings.current, settings.compare_geometry = RUN, QByteArray(b"\0\1")
    settings.set_layout(QByteArray(b"\2"), QByteArray(b"\3"))
    settings.set_hidden(RUN, True)
    for folder in ("/b", "/a, b"):
        settings.remember_folder(folder)
    colour = settings.colour(RUN)
    kept = Settings(QSettings(settings._store.fileName(), QSettings.Format.IniFormat))
    settings._store.sync()
    assert (kept.theme, kept.numbers, kept.device) == ("contrast", "de_CH", "cpu")
    assert (kept.side_by_side, kept.threads, kept.checkpoint_spacing) == (3, 2, 500)
    assert (kept.tour_seen, kept.writes_events, kept.metric) == (True, True, "")
    assert kept.exports == (("onnx", "csv"), "/a folder, with a comma")
    assert (kept.current, kept.compare_geometry) == (RUN, QByteArray(b"\0\1"))
    assert kept.layout() == (QByteArray(b"\2"), QByteArray(b"\3"))
    assert (kept.is_hidden(RUN), kept.folders) == (True, ["/a, b", "/b"])
    assert kept.colour(RUN) == colour
    assert not caplog.records


def test_settings_of_a_version_without_a_checksum_are_kept(tmp_path: Path) -> None:
    values = {"window/geometry": QByteArray(b"\2"), "window/state": QByteArray(b"\3")}
    kept = Settings(make_store(tmp_path / "old.ini", values))
    assert kept.layout() == (QByteArray(b"\2"), QByteArray(b"\3"))


def test_a_flipped_bit_of_the_layout_is_not_given_to_qt(tmp_path: Path, qtbot: QtBot) -> None:
    """One byte of it can make Qt allocate without bound, or count to two billion."""
    settings = Settings(make_store(tmp_path / "good.ini", {}))
    window = QMainWindow()
    qtbot.addWidget(window)
    for name in "abcd":
        window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, QDockWidget(name, window))
    state = bytes(window.saveState(2).data())
    settings.set_layout(window.saveGeometry(), QByteArray(state))
    flipped = state[:13] + b"\x7f" + state[14:]
    settings._store.setValue("window/state", QByteArray(flipped))
    assert settings.layout() == (QByteArray(), QByteArray())


def test_no_stored_value_is_run(tmp_path: Path) -> None:
    """Qt for Python unpickles every object of Python that a settings file holds."""
    touched = tmp_path / "run"

    class Touch:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (touched,)

    store = make_store(tmp_path / "hostile.ini", {"theme": Touch(), "other": Touch()})
    assert b"PyObjectWrapper" in (tmp_path / "hostile.ini").read_bytes()
    settings = Settings(store)
    assert settings.theme == "system"
    assert not touched.exists()


@pytest.mark.parametrize("content", [b"[General\ntheme=light\n", bytes(range(256)) * 50, b""])
def test_a_damaged_file_of_settings_gives_what_can_be_read(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "damaged.ini").write_bytes(content)
    settings = Settings(QSettings(str(tmp_path / "damaged.ini"), QSettings.Format.IniFormat))
    assert settings.theme in {"light", "system"}
    assert settings.folders == []
    assert [r.getMessage().split(" (")[0] for r in caplog.records] == (
        [f"The settings in {tmp_path / 'damaged.ini'} cannot be read whole"]
        if content.startswith(b"[")
        else []
    )


def test_a_folder_in_place_of_the_file_gives_the_defaults(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(QSettings(str(tmp_path), QSettings.Format.IniFormat))
    assert settings.theme == "system"
    assert "AccessError" in caplog.text


class TestScreens:
    @pytest.mark.parametrize(
        ("rectangle", "is_kept"),
        [
            ((40, 50, 539, 449), True),
            ((3_000, 200, 3_999, 899), True),  # Qt itself moves it onto the screen that is left.
            ((2**31 - 1,) * 4, False),
            ((-(2**31), -(2**31), 2**31 - 1, 2**31 - 1), False),
            ((0, 0, -1, -1), False),
        ],
    )
    def test_a_window_is_where_a_person_can_reach_it(
        self, rectangle: tuple[int, ...], is_kept: bool, qtbot: QtBot
    ) -> None:
        window = QMainWindow()
        qtbot.addWidget(window)
        window.resize(500, 400)
        content = bytearray(window.saveGeometry().data())
        for at in (8, 24, len(content) - 16):
            content[at : at + 16] = struct.pack(">4i", *rectangle)
        assert restore_geometry(window, QByteArray(bytes(content))) is is_kept
        window.show()
        seen = window.screen().availableGeometry().intersected(window.geometry())
        assert seen.width() >= 240
        assert seen.height() >= 120

    @pytest.mark.parametrize("content", [b"", b"junk", b"\x01\xd9\xd0\xcb\x00\x03"])
    def test_an_unreadable_place_leaves_the_size(self, content: bytes, qtbot: QtBot) -> None:
        window = QMainWindow()
        qtbot.addWidget(window)
        window.resize(500, 400)
        assert restore_geometry(window, QByteArray(content)) is (content == b"")
        assert (window.width(), window.height()) == (500, 400)


def test_threads_out_of_bounds_do_not_reach_torch(tmp_path: Path) -> None:
    for number in ("0", "257", "99999999999999999999", "-3", "two"):
        settings = Settings(make_store(tmp_path / f"{number}.ini", {"training/threads": number}))
        assert settings.threads == 0
