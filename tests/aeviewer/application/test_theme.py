from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton

from aeviewer import theme
from aeviewer.theme import DARK, LIGHT, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from aeviewer.settings import Settings


@pytest.fixture
def app(qapp: QApplication) -> Iterator[QApplication]:
    yield qapp
    theme.apply_theme(qapp, "dark")


def _luminance(colour: str) -> float:
    parts = (
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in QColor(colour).getRgbF()[:3]
    )
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def _contrast(a: str, b: str) -> float:
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("surface", ["back", "panel", "raised", "control"])
@pytest.mark.parametrize("text", ["text", "secondary", "error"])
def test_text_can_be_read(tokens: Tokens, surface: str, text: str) -> None:
    assert _contrast(getattr(tokens, text), getattr(tokens, surface)) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_the_primary_action_can_be_read(tokens: Tokens) -> None:
    assert _contrast(tokens.on_accent, tokens.accent) >= 4.5


def test_a_choice_changes_the_palette(app: QApplication) -> None:
    theme.apply_theme(app, "light")
    assert app.palette().base().color() == QColor(LIGHT.panel)
    theme.apply_theme(app, "dark")
    assert app.palette().base().color() == QColor(DARK.panel)


def test_icons_follow_the_theme(qtbot: QtBot, app: QApplication) -> None:
    button = QPushButton(theme.icon("play"), "")
    qtbot.addWidget(button)
    seen = []
    for name in ("light", "dark"):
        theme.apply_theme(app, name)
        image = button.icon().pixmap(32, 32).toImage()
        ink = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        seen.append(max((c for c in ink if c.alpha() > 200), key=lambda c: c.alpha()).lightness())
    assert seen[0] < 100 < seen[1]


def test_settings_are_kept(settings: Settings) -> None:
    assert settings.theme == "system"
    settings.theme = "light"
    assert settings.theme == "light"
    first = settings.colour("/a")
    second = settings.colour("/b", [first])
    assert first != second
    assert settings.colour("/a") == first
    settings.set_hidden("/a", True)
    settings.move("/a", "/c")
    assert settings.colour("/c") == first
    assert settings.is_hidden("/c")
    assert not settings.is_hidden("/a")


def test_repainting_leaves_none_alone(qtbot: QtBot) -> None:
    """Some releases of PySide drop a reference to None on most calls, and abort in the end."""
    import pyqtgraph as pg

    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    plot.plot([1, 2, 3], [3, 1, 2])
    plot.show()
    plot.grab()
    before = sys.getrefcount(None)
    for _ in range(50):
        plot.grab()
    fallen = before - sys.getrefcount(None)
    assert fallen < 200
