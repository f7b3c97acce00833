"""The time until the window is visible, compared with the time to import torch.

    uv run python -m tests.benchmarks.starting [ROUNDS]

Measures in turn, each in its own process: the program from its command to the first painted frame,
which has the curve, codes and pictures of a finished run; and `import torch` alone. Both times
begin with the process. A ratio compares the two in one round; the goal is at most 0.8. Without a
screen the window is on a virtual X11 screen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from tests.end_to_end.screen import virtual_screen

_TORCH = "import time, torch; print(time.monotonic())"
_GOAL = 0.8


def open_and_report(folder: Path) -> None:
    """Opens the program, prints as JSON what the first frame shows, and closes it."""
    from aeviewer.__main__ import prepare

    prepare()
    from aeviewer import app

    class ReportingProgram(app.Program):
        def begin(self) -> None:
            try:
                self.report()
            finally:
                super().begin()
                self.window.close()

        def report(self) -> None:
            session = self.session
            assert session.current is not None
            shown = {
                "at": time.monotonic(),
                "torch": "torch" in sys.modules,
                "runs": len(session.items),
                "steps": session.current.steps,
                "losses": len(session.curves(session.current.key)),
                "curves": [Path(key).name for key in self.window.loss.plot.names],
                "codes": 0 if session.preview is None else len(session.preview.codes),
                "points": len(self.window.latent.plot.raster.xy),
                "pictures": self.window.reconstructions.grid.count,
            }
            print(json.dumps(shown), flush=True)

    app.Program = ReportingProgram  # type: ignore[misc]
    sys.exit(app.run(folder))


def _run(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Runs a command; returns the time of its start, and its output."""
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return began, done.stdout


def main(rounds: int) -> None:
    """Measures in turn and prints medians."""
    has_screen = "DISPLAY" in os.environ or os.environ.get("QT_QPA_PLATFORM") == "offscreen"
    screen = nullcontext({**os.environ}) if has_screen else virtual_screen()
    with screen as environment, tempfile.TemporaryDirectory() as home:
        environment = {**environment, "HOME": home}
        window = [sys.executable, "-m", "tests.benchmarks.starting", "opened", home]
        times: list[tuple[float, float]] = []
        # The first round fills the system's file cache.
        for number in range(rounds + 1):
            began, output = _run(window, environment)
            shown = json.loads(output)
            seconds = shown["at"] - began
            began, output = _run([sys.executable, "-c", _TORCH], environment)
            if number:
                times.append((1000 * seconds, 1000 * (float(output) - began)))
    shown_ms, torch_ms = np.array(times).T
    ratios = np.array(shown_ms) / torch_ms
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    print(f"in the first frame: {shown}")
    print(f"window visible   {np.median(shown_ms):6.0f} ms")
    print(f"import torch     {np.median(torch_ms):6.0f} ms")
    met = "met" if middle <= _GOAL else "missed"
    print(f"ratio {middle:.2f} ({low:.2f}–{high:.2f}), goal {_GOAL}: {met}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["opened"]:
        open_and_report(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
