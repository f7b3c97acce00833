"""Times in the latent space in ms: frames, decoding, tiles of the mosaic, hovering.

    uv run python -m tests.benchmarks.exploring [FRAMES]

The 2-D demo model in a window of 1600 x 1000, with 70,000 codes (test and training images) and the
mosaic. A frame is a pan or a zoom with its painting. "Press to pixels" begins with a press of the
mouse and ends when the decoder panel has painted the image. "Fresh tiles" begins with a view of
about 20 x 20 tiles, none of which is in the cache, and ends when all are painted. The goals are
those of a 60 Hz screen; each row says whether its goal was met.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPointF, QRectF, QSettings, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from aeviewer import theme
from aeviewer.app import Program
from aeviewer.settings import Settings
from trainers import runs
from trainers.presets import preset

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeviewer.widgets.plots.latent_plot import LatentPlot

_SIDE = 20


class Bench:
    """The program with its demo run, and functions that wait in its event loop."""

    def __init__(self, app: QApplication, folder: Path, demo: runs.Run) -> None:
        self.app = app
        settings = Settings(QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat))
        self.program = Program(folder / "runs", settings, [demo])
        self.program.window.resize(1600, 1000)
        self.program.window.show()
        self.wait_until(lambda: self.program.session.preview is not None)

    @property
    def plot(self) -> LatentPlot:
        return self.program.window.latent.plot

    def wait_until(self, done: Callable[[], bool]) -> None:
        # A busy wait would take the interpreter from the compute thread.
        while not done():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def pause(self, seconds: float) -> None:
        """Runs the event loop for some seconds, as between two presses of a user."""
        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()

    def wait_for_mosaic(self) -> None:
        """Waits until the mosaic is complete and painted."""
        mosaic = self.program.latent_services.mosaic
        self.wait_until(lambda: mosaic.grid is not None and not mosaic.missing(mosaic.grid))
        self.app.processEvents()

    def show_all_codes(self) -> None:
        self.program.window.latent.plane_bar.layers.choose(training=True, mosaic=True)
        self.wait_until(lambda: len(self.plot.raster.xy) == 70_000)
        self.plot.reset_view()
        self.app.processEvents()
        self.wait_for_mosaic()


def time_frames(bench: Bench, count: int) -> dict[str, list[float]]:
    """Returns the times of pans and zooms, each with its painting."""
    plot, times = bench.plot, {"pan": [], "zoom": []}
    plot.leave_following()
    for number in range(count):
        kind = "pan" if number // 15 % 2 else "zoom"
        angle = 2 * np.pi * number / 60
        begun = time.perf_counter()
        if kind == "pan":
            size = plot.short_side() / 40
            plot.box.translateBy(x=size * np.cos(angle), y=size * np.sin(angle))
        else:
            plot.box.scaleBy((0.94, 0.94) if number // 30 % 2 else (1 / 0.94,) * 2)
        plot.viewport().repaint()
        times[kind].append(1000 * (time.perf_counter() - begun))
        bench.app.processEvents()
    return times


def time_presses(bench: Bench, count: int) -> list[float]:
    """Returns the times from a press in the plane until the decoder's image is painted."""
    plot, session = bench.plot, bench.program.session
    view = bench.program.window.decoder.view
    painted_at: list[float] = []
    rng = np.random.default_rng(0)

    def paint() -> None:
        view.repaint()
        painted_at.append(time.perf_counter())

    session.image_changed.connect(paint)
    times = []
    for x, y in rng.uniform(0.3, 0.7, (count, 2)):
        painted_at.clear()
        place = QPointF(plot.viewport().width() * x, plot.viewport().height() * y)
        begun = time.perf_counter()
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            _send(plot, kind, place)
        bench.wait_until(lambda: bool(painted_at))
        times.append(1000 * (painted_at[0] - begun))
        bench.pause(rng.uniform(0.03, 0.09))
    session.image_changed.disconnect(paint)
    return times


def _send(plot: LatentPlot, kind: QEvent.Type, place: QPointF) -> None:
    left = Qt.MouseButton.LeftButton
    on_screen = plot.viewport().mapToGlobal(place)
    event = QMouseEvent(kind, place, on_screen, left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(plot.viewport(), event)


def time_fresh_tiles(bench: Bench, count: int) -> tuple[list[float], int]:
    """Returns the times from a view of new tiles until all are painted, and their number."""
    plot, mosaic = bench.plot, bench.program.latent_services.mosaic
    rng, times, tiles = np.random.default_rng(0), [], 0
    pixel = plot.box.viewPixelSize()[0]
    for _ in range(count):
        x, y = rng.uniform(-2, 2, 2)
        # The view is so small that all of its up to 20 x 20 tiles are new.
        scale = 0.002 * (1 + rng.uniform())
        begun = time.perf_counter()
        mosaic.set_view((x, y, 18 * scale, 18 * scale), scale / 28, 28)
        assert mosaic.grid is not None
        bench.wait_until(lambda: not mosaic.missing(mosaic.grid))
        plot.tiles.set_tiles(*mosaic.picture(), QRectF(*mosaic.grid.rectangle))
        plot.viewport().repaint()
        times.append(1000 * (time.perf_counter() - begun))
        tiles = max(tiles, mosaic.grid.columns * mosaic.grid.rows)
    mosaic.set_view((-2, -2, 4, 4), pixel, 28)
    bench.wait_for_mosaic()
    return times, tiles


def time_hovers(bench: Bench, count: int) -> list[float]:
    """Returns the times to find the point under the mouse."""
    plot, rng = bench.plot, np.random.default_rng(0)
    plot.nearest(0, 0)
    times = []
    for x, y in rng.normal(size=(count, 2)):
        begun = time.perf_counter()
        plot.nearest(x, y)
        times.append(1000 * (time.perf_counter() - begun))
    return times


def format_row(name: str, times: list[float], median: float, worst: float | None = None) -> str:
    """Returns a row of the table."""
    middle, high = np.percentile(times, [50, 99])
    goal = f"{median:g}" if worst is None else f"{median:g} / {worst:g}"
    met = middle <= median and (worst is None or high <= worst)
    return (
        f"{name:<34}{middle:>9.2f}{high:>9.2f}{max(times):>9.2f}   {goal:>9}  "
        f"{'met' if met else 'missed'}"
    )


def main(count: int) -> None:
    """Opens the window, measures, and prints."""
    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    with tempfile.TemporaryDirectory() as place, runs.demo_run() as demo:
        bench = Bench(app, Path(place), demo)
        bench.show_all_codes()
        size = bench.plot.viewport().size()
        print(f"screen: {app.platformName()}, plot of {size.width()} x {size.height()} pixels")
        print(f"{'ms':<34}{'median':>9}{'99 %':>9}{'worst':>9}   {'goal':>9}")
        for kind, times in time_frames(bench, count).items():
            print(format_row(f"{kind}, 70,000 codes and mosaic", times, 16, 33))
        print(format_row("hover over 70,000 codes", time_hovers(bench, count), 2))
        bench.plot.reset_view()
        bench.wait_for_mosaic()
        print(format_row("press to pixels, idle", time_presses(bench, count), 16))
        times, tiles = time_fresh_tiles(bench, max(10, count // 10))
        print(format_row(f"fresh tiles, up to {tiles}", times, 50))
        _time_while_training(bench, count)
        bench.program.window.close()
        bench.program.close()


def _time_while_training(bench: Bench, count: int) -> None:
    queue = bench.program.queue
    queue.train(preset("vae").replace(latent_dim=2, steps=1_000_000))
    # The first steps have many checkpoints.
    bench.wait_until(lambda: queue.progress.step > 1_000)
    bench.wait_until(lambda: bench.program.session.preview is not None)
    print(format_row("press to pixels, while training", time_presses(bench, count), 33, 33))
    print(f"{queue.progress.rate:.0f} steps/s at the end")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
