from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainers import runs
from trainers.errors import RunError
from trainers.exploration import views
from trainers.exploration.views import KeptLayers, KeptPin, View
from trainers.presets import preset

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.runs import Run

VIEW = View(
    plane="three-points",
    axes=(3, 1),
    corners=((0.0, 1.0), (1.0, 0.0), (0.5, 0.1)),
    rectangle=(-1.5, 0.25, 3.0, 2.0),
    code=(0.1, 0.2),
    pins=(KeptPin(code=(0.1, 0.2), image=17), KeptPin(code=(1.0, 1.0))),
    selection=(1, 5, 69_999),
    layers=KeptLayers(mosaic=False, layer="density", points=0.3),
    step=200,
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runs.create_run(preset("elu"), tmp_path, "a")


def test_a_view_comes_back_as_it_was(run: Run) -> None:
    views.save_view(run, "Sevens and nines", VIEW)
    assert views.view_names(run) == ["Sevens and nines"]
    assert views.open_view(run, "Sevens and nines") == VIEW


def test_the_same_name_replaces(run: Run) -> None:
    views.save_view(run, "a", VIEW)
    views.save_view(run, "b", VIEW)
    views.save_view(run, "a", View())
    assert views.open_view(run, "a") == View()
    assert views.view_names(run) == ["a", "b"]


@pytest.mark.parametrize("name", ["", "../../escape", "a/b", ".hidden", "con", "x" * 81])
def test_a_name_must_be_a_name(run: Run, name: str) -> None:
    with pytest.raises(RunError, match="cannot name a view: use up to 80 letters"):
        views.save_view(run, name, VIEW)
    with pytest.raises(RunError, match="cannot name a view"):
        views.open_view(run, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"code": [1e400]}',
        '{"code": []}',
        '{"selection": [70000]}',
        '{"plane": "round"}',
        '{"unknown": 1}',
        '{"pins": [{"code": [1], "image": -1}]}',
        '{"corners": [[1], [1], [1], [1]]}',
        '{"layers": {"opacity": 2}}',
    ],
)
def test_what_is_no_view_is_refused(run: Run, text: str) -> None:
    folder = run.path / "views"
    folder.mkdir()
    (folder / "bad.json").write_text(text)
    with pytest.raises(RunError, match=r"bad\.json is damaged"):
        views.open_view(run, "bad")


def test_a_view_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(RunError, match=r"none\.json is missing"):
        views.open_view(run, "none")


def test_the_demo_keeps_none(run: Run) -> None:
    demo = runs.Run(run.path, read_only=True)
    with pytest.raises(RunError, match="views are kept in runs of your own"):
        views.save_view(demo, "a", VIEW)
