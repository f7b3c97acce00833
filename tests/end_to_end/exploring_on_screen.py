"""A person walks through latent spaces, in a real window.

Not collected by itself: `test_on_a_real_screen.py` runs it in a process that has a screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from tests.end_to_end.person import Person, xdotool
from trainers.presets import preset

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

LEFT_TOP, RIGHT_BOTTOM = QPoint(-110, -70), QPoint(120, 80)


def _at(widget: QWidget, aside: QPoint) -> QPoint:
    return widget.rect().center() + aside


def _pin_two(person: Person) -> None:
    plane, latent_state = person.plane, person.window.latent._latent
    for count, aside in enumerate((LEFT_TOP, RIGHT_BOTTOM), 1):
        person.click_with("ctrl", plane, _at(plane, aside))
        person.until(lambda count=count: len(latent_state.pins) == count)


def _walk(person: Person) -> None:
    """Two pins and the shortest way between them."""
    _pin_two(person)
    person.open_dock("Path")
    panel = person.window.path
    person.click(panel.kind)
    for key in ("End", "Return"):
        person.press(key)
    person.until(lambda: panel.kind.currentData() == "geodesic")
    service = panel._service
    person.until(lambda: service.result is not None and service.result.route.kind == "geodesic")
    assert service.result.image_length <= (1 + 1e-9) * service.result.straight_length


def _draw_a_one(person: Person) -> None:
    person.open_dock("Draw")
    pad, plane = person.window.draw.pad, person.plane
    third = pad.height() // 3
    person.drag(pad, _at(pad, QPoint(12, -third)), _at(pad, QPoint(-12, third)))
    person.until(lambda: plane.star is not None)


def _select_and_let_go(person: Person) -> None:
    plane, latent_state = person.plane, person.window.latent._latent
    corners = ((-90, -90), (90, -90), (90, 90), (-90, 90), (-90, -90))
    xdotool("keydown", "shift")
    person.trace(plane, [_at(plane, QPoint(x, y)) for x, y in corners])
    xdotool("keyup", "shift")
    person.until(lambda: len(latent_state.selection) > 100)
    person.open_dock("Selection")
    person.qtbot.wait(300)
    person.picture("selection")
    plane.setFocus()
    person.press("Escape")
    person.until(lambda: not len(latent_state.selection))


def _watch_it_form(person: Person) -> None:
    playback = person.window.latent._playback
    person.press("ctrl+space")
    person.until(lambda: playback.interpolation is not None and person.session.step >= 200)
    person.picture("time")
    person.until(lambda: not playback.is_playing)
    assert person.session.step == person.session.checkpoints[-1]


def test_the_demo_is_walked_through(person: Person) -> None:
    session, plane = person.session, person.plane
    mosaic = person.window.latent.background._mosaic
    person.until(lambda: session.preview is not None and session.image is not None)
    person.until(lambda: mosaic.grid is not None and not mosaic.missing(mosaic.grid))
    layers = person.window.latent.plane_bar.layers
    layers.choose(points=0.15, opacity=1.0)
    person.qtbot.wait(300)
    person.picture("mosaic")
    layers.choose(points=0.7, opacity=0.6)
    before = plane.view().width()
    person._point(plane, plane.rect().center())
    xdotool("click", "--repeat", 3, 4)
    person.until(lambda: plane.view().width() < 0.9 * before)
    plane.setFocus()
    person.press("a")
    person.until(lambda: plane.follows)
    _walk(person)
    person.qtbot.wait(500)
    person.picture("geodesic")
    person.press("ctrl+z")
    person.until(lambda: len(person.window.latent._latent.pins) < 2)
    _draw_a_one(person)
    person.qtbot.wait(500)
    person.picture("drawing")
    _select_and_let_go(person)
    _watch_it_form(person)


@pytest.mark.parametrize(("name", "latent_dim"), [("elu", 5), ("conv-vae", 5)])
def test_what_is_being_trained_is_walked_through(
    person: Person, name: str, latent_dim: int
) -> None:
    session, queue = person.session, person.queue
    config = preset(name).replace(latent_dim=latent_dim, steps=100_000)
    queue.train(config)
    person.until(lambda: session.is_live and session.preview is not None)
    person.until(lambda: session.preview.codes.shape[1] == latent_dim and session.preview.step > 0)
    image = session.image
    person.drag(person.plane, _at(person.plane, LEFT_TOP), _at(person.plane, RIGHT_BOTTOM))
    person.until(lambda: session.image is not image)
    _draw_a_one(person)
    _walk(person)
    _select_and_let_go(person)
    kind = person.window.latent.plane_bar.kind
    person.click(kind)
    for key in ("Down", "Return"):
        person.press(key)
    person.until(lambda: kind.currentData() == "principal")
    person.picture(f"{name}-d{latent_dim}-live")
    step = session.preview.step
    person.until(lambda: session.preview.step > step)
    assert np.isfinite(session.preview.codes).all()
