"""What a person waits for in the latent space, in ms: frames, decoding, tiles, hovering.

    uv run python -m tests.benchmarks.exploring [FRAMES]

The 2-D demo model in a window of 1600 x 1000, with 70,000 codes (test and training images) and the
mosaic on. A frame is a pan or a zoom, drawn at once; "press to pixels" begins with a press of the
mouse and ends when the decoder panel has drawn the image; "fresh tiles" begins with a view that
shows some 20 x 20 tiles of which none is known, and ends when all are drawn. The goals are those
of a screen of 60 Hz; each table row says whether its own was met.
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
    """The program with its demo run, and how to wait in it."""

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
        # Sleeps between events: a busy wait would take the interpreter from the compute thread.
        while not done():
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def pause(self, seconds: float) -> None:
        """Lets the program run for a while, as between two presses of a person."""
        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()

    def wait_for_mosaic(self) -> None:
        """Waits until the mosaic is whole and everything is drawn."""
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
    """Pans and zooms, each drawn at once."""
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
    """From a press in the plane to the decoder's image on the screen."""
    plot, session = bench.plot, bench.program.session
    view = bench.program.window.decoder.view
    drawn: list[float] = []
    rng = np.random.default_rng(0)

    def note() -> None:
        view.repaint()
        drawn.append(time.perf_counter())

    session.image_changed.connect(note)
    times = []
    for x, y in rng.uniform(0.3, 0.7, (count, 2)):
        drawn.clear()
        place = QPointF(plot.viewport().width() * x, plot.viewport().height() * y)
        begun = time.perf_counter()
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            _send(plot, kind, place)
        bench.wait_until(lambda: bool(drawn))
        times.append(1000 * (drawn[0] - begun))
        bench.pause(rng.uniform(0.03, 0.09))
    session.image_changed.disconnect(note)
    return times


def _send(plot: LatentPlot, kind: QEvent.Type, place: QPointF) -> None:
    left = Qt.MouseButton.LeftButton
    around = plot.viewport().mapToGlobal(place)
    event = QMouseEvent(kind, place, around, left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(plot.viewport(), event)


def fresh_tiles(bench: Bench, count: int) -> tuple[list[float], int]:
    """From a view of unknown tiles to all of them drawn."""
    plot, mosaic = bench.plot, bench.program.latent_services.mosaic
    rng, times, tiles = np.random.default_rng(0), [], 0
    pixel = plot.box.viewPixelSize()[0]
    for _ in range(count):
        x, y = rng.uniform(-2, 2, 2)
        # So far in that every tile is new, and as many as 20 x 20 of them.
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


def hovers(bench: Bench, count: int) -> list[float]:
    """How long the point beneath the mouse is looked for."""
    plot, rng = bench.plot, np.random.default_rng(0)
    plot.nearest(0, 0)
    times = []
    for x, y in rng.normal(size=(count, 2)):
        begun = time.perf_counter()
        plot.nearest(x, y)
        times.append(1000 * (time.perf_counter() - begun))
    return times


def told(name: str, times: list[float], median: float, worst: float | None = None) -> str:
    """A row of the table."""
    middle, high = np.percentile(times, [50, 99])
    goal = f"{median:g}" if worst is None else f"{median:g} / {worst:g}"
    met = middle <= median and (worst is None or high <= worst)
    return (
        f"{name:<34}{middle:>9.2f}{high:>9.2f}{max(times):>9.2f}   {goal:>9}  "
        f"{'met' if met else 'missed'}"
    )


def main(count: int) -> None:
    """Opens the window, walks about, prints."""
    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    with tempfile.TemporaryDirectory() as place, runs.demo_run() as demo:
        bench = Bench(app, Path(place), demo)
        bench.show_all_codes()
        size = bench.plot.viewport().size()
        print(f"screen: {app.platformName()}, plot of {size.width()} x {size.height()} pixels")
        print(f"{'ms':<34}{'median':>9}{'99 %':>9}{'worst':>9}   {'goal':>9}")
        for kind, times in time_frames(bench, count).items():
            print(told(f"{kind}, 70,000 codes and mosaic", times, 16, 33))
        print(told("hover over 70,000 codes", hovers(bench, count), 2))
        bench.plot.reset_view()
        bench.wait_for_mosaic()
        print(told("press to pixels, idle", time_presses(bench, count), 16))
        times, tiles = fresh_tiles(bench, max(10, count // 10))
        print(told(f"fresh tiles, up to {tiles}", times, 50))
        _while_training(bench, count)
        bench.program.window.close()
        bench.program.close()


def _while_training(bench: Bench, count: int) -> None:
    queue = bench.program.queue
    queue.train(preset("vae").replace(latent_dim=2, steps=1_000_000))
    # The first steps have many checkpoints.
    bench.wait_until(lambda: queue.progress.step > 1_000)
    bench.wait_until(lambda: bench.program.session.preview is not None)
    print(told("press to pixels, while training", time_presses(bench, count), 33, 33))
    print(f"{queue.progress.rate:.0f} steps/s at the end")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
