from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from aeviewer.services.comparison import image_rules
from aeviewer.services.comparison.compared_run import (
    distinct_colours,
    nearest_step,
    reconstruct_by_pca,
)
from aeviewer.services.comparison.comparison import MOST_RUNS, Comparison
from aeviewer.services.comparison.image_rules import ImageRule
from tests.aeviewer.comparison.compared_runs import FakeCompute, factor, keys, made
from trainers.datasets import MNIST, open_dataset
from trainers.datasets.mnist import load_split
from trainers.datasets.spectrum import load_mnist_spectrum
from trainers.errors import DataError
from trainers.runs import RunState

if TYPE_CHECKING:
    from aeviewer.services.runs.session import Session

pytestmark = pytest.mark.usefixtures("qapp")


class Scene:
    """Runs "a" with checkpoints at 0, 10, 100 and "b" with 0, 40; all of them compared."""

    def __init__(self, session: Session) -> None:
        made(session.folder, "a", 0, 10, 100)
        made(session.folder, "b", 0, 40)
        session.refresh()
        self.session, self.compute = session, FakeCompute()
        self.comparison = Comparison(session, self.compute)  # type: ignore[arg-type]
        self.a, self.b = keys(session)
        self.comparison.choose([self.a, self.b])


@pytest.fixture
def scene(session: Session) -> Scene:
    return Scene(session)


@pytest.mark.parametrize(
    ("steps", "step", "found"),
    [((0, 10, 100), 50, 10), ((0, 10, 100), 56, 100), ((0, 10), 5, 0), ((7,), 0, 7), ((), 3, None)],
)
def test_the_nearest_step_is_found_and_the_earlier_of_two(
    steps: tuple[int, ...], step: int, found: int | None
) -> None:
    assert nearest_step(steps, step) == found


class TestDigits:
    def test_the_first_of_each_class_comes_before_any_second(self) -> None:
        labels = np.array([3, 0, 3, 1, 0, 1], np.uint8)
        assert image_rules.first_of_classes(labels, 5) == (1, 3, 0, 4, 5)

    def test_a_longer_random_choice_begins_with_the_shorter(self) -> None:
        few, many = image_rules.random_images(100, 4, 7), image_rules.random_images(100, 9, 7)
        assert many[:4] == few
        assert len(set(many)) == 9
        assert image_rules.random_images(100, 4, 8) != few

    def test_the_worst_are_sorted_by_error(self) -> None:
        assert image_rules.worst_images(np.array([1.0, 9.0, 3.0, 9.0]), 3) == (1, 3, 2)

    def test_numbers_are_read_as_a_person_writes_them(self) -> None:
        assert image_rules.parse_indices("7, 0 3-5, 4", 10) == (7, 0, 3, 4, 5)

    @pytest.mark.parametrize("text", ["", "x", "10", "5-3", "-1", "0-40"])
    def test_what_is_no_test_image_is_refused(self, text: str) -> None:
        with pytest.raises(DataError):
            image_rules.parse_indices(text, 50 if text == "0-40" else 10)


class TestTime:
    def test_steps_are_those_of_all_runs_and_the_last_is_shown(self, scene: Scene) -> None:
        assert scene.comparison.steps == (0, 10, 40, 100)
        assert scene.comparison.step == 100
        assert scene.comparison.run(scene.b).step == 40

    def test_every_run_goes_to_its_nearest_checkpoint(self, scene: Scene) -> None:
        scene.comparison.show_step(10)
        assert [run.step for run in scene.comparison.runs] == [10, 0]

    def test_moving_stops_at_the_ends(self, scene: Scene) -> None:
        scene.comparison.move(-2)
        assert scene.comparison.step == 10
        scene.comparison.move(-9)
        assert scene.comparison.step == 0

    def test_at_the_end_a_new_checkpoint_is_followed(self, scene: Scene) -> None:
        run = scene.session.run(scene.a)
        run.write_checkpoint(200, b"weights")
        scene.session.set_state(scene.a, RunState.STOPPED, 200)
        assert scene.comparison.step == 200
        assert scene.comparison.run(scene.a).step == 200

    def test_elsewhere_the_step_stays(self, scene: Scene) -> None:
        scene.comparison.show_step(10)
        scene.session.run(scene.a).write_checkpoint(200, b"weights")
        scene.session.set_state(scene.a, RunState.STOPPED, 200)
        assert scene.comparison.step == 10


class TestRows:
    def test_errors_and_images_are_those_of_the_model(self, scene: Scene) -> None:
        scene.compute.answer_all()
        run = scene.comparison.run(scene.a)
        inputs = load_split("test").images[list(scene.comparison.image_indices)]
        expected = np.square((1 - factor(100)) * inputs / 255).sum(axis=(1, 2))
        assert run.reconstructions is not None
        np.testing.assert_allclose(run.reconstructions.errors, expected, rtol=1e-4)
        expected_images = np.rint(inputs * factor(100))
        assert np.abs(run.reconstructions.images - expected_images).max() <= 1

    def test_a_newer_request_replaces_one_that_waits(self, scene: Scene) -> None:
        scene.comparison.show_step(0)
        scene.comparison.show_step(10)
        scene.compute.answer_all()
        assert ("a", 10) in scene.compute.models.asked
        assert ("a", 0) not in scene.compute.models.asked
        assert ("a", 100) not in scene.compute.models.asked

    def test_a_late_answer_is_dropped(self, scene: Scene) -> None:
        taken = scene.compute.taken()
        scene.comparison.show_step(10)
        for question in taken:
            scene.compute.answer(question)
        assert ("a", 100) in scene.compute.models.asked
        assert scene.comparison.run(scene.a).reconstructions is None

    def test_a_damaged_run_says_so_and_the_others_go_on(self, scene: Scene) -> None:
        scene.compute.models.broken = {"a"}
        scene.compute.answer_all()
        assert scene.comparison.run(scene.a).problem == "a is damaged"
        assert scene.comparison.run(scene.b).reconstructions is not None

    def test_a_forgotten_run_leaves_the_comparison(self, scene: Scene) -> None:
        scene.session.forget(scene.a)
        scene.compute.answer_all()
        assert [run.item.name for run in scene.comparison.runs] == ["b"]

    def test_a_run_without_checkpoints_has_no_step(self, session: Session) -> None:
        scene = Scene(session)
        made(session.folder, "c")
        session.refresh()
        scene.comparison.choose(keys(session))
        scene.compute.answer_all()
        (third,) = [run for run in scene.comparison.runs if run.item.name == "c"]
        assert (third.step, third.reconstructions, third.problem) == (None, None, "")

    def test_at_most_eight_runs_are_compared(self, scene: Scene) -> None:
        for number in range(MOST_RUNS):
            made(scene.session.folder, f"r{number}", 0)
        scene.session.refresh()
        scene.comparison.choose(keys(scene.session))
        assert len(scene.comparison.runs) == MOST_RUNS


class TestWorst:
    def test_they_are_sorted_by_true_error(self, scene: Scene) -> None:
        scene.comparison.set_rule(ImageRule("worst", 5, run=scene.a))
        scene.compute.answer_all()
        ink = np.square(load_split("test").images / 255.0).sum(axis=(1, 2))
        assert scene.comparison.image_indices == tuple(np.argsort(-ink, kind="stable")[:5].tolist())
        shown = scene.comparison.run(scene.b).reconstructions
        assert shown is not None
        assert (np.diff(shown.errors) <= 0).all()

    def test_the_share_grows_and_ends(self, scene: Scene) -> None:
        scene.compute.answer_all()
        scene.comparison.set_rule(ImageRule("worst", 5, run=scene.a))
        assert scene.comparison.measured_share == 0
        for question in scene.compute.taken():
            scene.compute.answer(question)
        assert scene.comparison.measured_share == pytest.approx(0.1)
        scene.compute.answer_all()
        assert scene.comparison.measured_share is None

    def test_what_was_measured_is_not_measured_again(self, scene: Scene) -> None:
        scene.comparison.set_rule(ImageRule("worst", 5, run=scene.a))
        scene.compute.answer_all()
        scene.compute.models.asked.clear()
        scene.comparison.set_rule(ImageRule("worst", 6, run=scene.a))
        scene.compute.answer_all()
        assert scene.compute.models.asked.count(("a", 100)) == 1

    def test_a_damaged_run_ends_the_measuring(self, scene: Scene) -> None:
        scene.compute.models.broken = {"a"}
        scene.comparison.set_rule(ImageRule("worst", 5, run=scene.a))
        scene.compute.answer_all()
        assert scene.comparison.measured_share is None
        assert scene.comparison.run(scene.a).problem == "a is damaged"


def test_a_pca_row_is_what_the_components_give_back() -> None:
    chosen = (3, 61)
    found = reconstruct_by_pca(chosen, 5, open_dataset(MNIST))
    images = load_split("test").images[list(chosen)].reshape(2, -1) / 255.0
    known = load_mnist_spectrum()
    centred = images - known.mean
    basis = known.components[:5]
    left = np.square(centred).sum(1) - np.square(centred @ basis.T).sum(1)
    np.testing.assert_allclose(found.errors, left, rtol=1e-4)


def test_the_pca_row_of_all_test_images_has_the_floor_as_its_error() -> None:
    found = reconstruct_by_pca(tuple(range(10_000)), 5, open_dataset(MNIST))
    assert found.errors.mean() == pytest.approx(load_mnist_spectrum().test_errors[5], rel=1e-5)


class TestCodes:
    def test_they_are_read_only_while_wanted(self, scene: Scene) -> None:
        scene.compute.answer_all()
        assert scene.comparison.run(scene.a).codes is None
        scene.comparison.set_codes_enabled(True)
        scene.compute.answer_all()
        codes = scene.comparison.run(scene.a).codes
        assert codes is not None
        assert (codes.step, codes.values.shape) == (100, (10_000, 5))

    def test_an_empty_selection_clears_it(self, scene: Scene) -> None:
        chosen = np.zeros(10_000, np.bool_)
        chosen[[2, 5]] = True
        scene.comparison.select(chosen)
        assert scene.comparison.selection.sum() == 2
        scene.comparison.select(np.zeros(10_000, np.bool_))
        assert len(scene.comparison.selection) == 0


def test_colours_that_collide_give_way() -> None:
    found = distinct_colours(["#56b4e9", "#e69f00", "#56b4e9", "#56b4e9"])
    assert found[:2] == ["#56b4e9", "#e69f00"]
    assert len(set(found)) == 4
