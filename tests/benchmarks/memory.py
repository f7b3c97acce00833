"""The resident memory of the program while a run is trained in its window.

    uv run python -m tests.benchmarks.memory [STEPS [HIDDEN ...]]

Trains the 2-D VAE for STEPS (50,000) steps in the window, with hidden layers of the widths HIDDEN
if given (`5000 32` for a short test), and prints the resident memory at every tenth. The goal is
that memory grows by at most 5 % after the first tenth.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.end_to_end.screen import virtual_screen
from trainers.presets import preset

_GOAL = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_megabytes() -> float:
    """Returns the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * _PAGE / 1e6


def train_in_window(steps: int, hidden: tuple[int, ...]) -> None:
    """Opens the window, trains, and prints the memory."""
    from aeviewer.__main__ import prepare

    prepare()
    from PySide6.QtCore import QEventLoop, QSettings
    from PySide6.QtWidgets import QApplication

    from aeviewer import theme
    from aeviewer.app import Program
    from aeviewer.services.training.training_queue import Activity
    from aeviewer.settings import Settings

    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    config = preset("vae").replace(latent_dim=2, steps=steps)
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(QSettings(f"{place}/settings.ini", QSettings.Format.IniFormat))
        program = Program(Path(place), settings)
        program.window.resize(1600, 1000)
        program.window.show()
        program.queue.train(config.replace(hidden=hidden) if hidden else config)
        marks = [steps * tenth // 10 for tenth in range(1, 11)]
        samples: list[float] = []
        while program.queue.activity is not Activity.IDLE:
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            step = program.queue.progress.step
            if step >= marks[len(samples)] and len(samples) < len(marks) - 1:
                samples.append(resident_megabytes())
                print(f"step {step:>7,}: {samples[-1]:7.1f} MB", flush=True)
        samples.append(resident_megabytes())
        print(f"step {steps:>7,}: {samples[-1]:7.1f} MB")
        program.window.close()
        program.close()
    growth = samples[-1] / samples[0] - 1
    met = "met" if growth <= _GOAL else "missed"
    print(f"{100 * growth:+.1f} %, goal {100 * _GOAL:.0f} %: {met}")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    has_screen = "DISPLAY" in os.environ or os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    with nullcontext({}) if has_screen else virtual_screen() as environment:
        os.environ.update(environment)
        train_in_window(given[0] if given else 50_000, tuple(given[1:]))
