"""The time until the window is visible: program from source, and packaged program.

    uv run python -m tests.benchmarks.packaged dist/aeviewer/aeviewer

Both start in turn, ROUNDS times, after one start of each that fills the caches. Prints the medians
in seconds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.end_to_end.screen import screen

ROUNDS = 7


def main() -> None:
    """Measures and prints."""
    source = [sys.executable, "-m", "aeviewer"]
    packaged = [str(Path(sys.argv[1]).absolute())]
    times: dict[str, list[float]] = {"from source": [], "packaged": []}
    with tempfile.TemporaryDirectory() as folder, screen(Path(folder)) as display:
        for turn in range(ROUNDS + 1):
            for name, command in zip(times, (source, packaged), strict=True):
                seconds = _time_start(command, Path(folder), display)
                if turn:
                    times[name].append(seconds)
    for name, values in times.items():
        print(f"{name}: {statistics.median(values):.2f} s, {min(values):.2f} to {max(values):.2f}")


def _time_start(command: list[str], home: Path, display: str) -> float:
    """Returns the seconds from the start of the command until its window is visible."""
    environment = {**os.environ, "DISPLAY": display, "HOME": str(home), "QT_QPA_PLATFORM": "xcb"}
    search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^AE Viewer$"]
    began = time.perf_counter()
    with subprocess.Popen([*command, "--runs", str(home / "runs")], env=environment) as process:
        subprocess.run(search, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - began
        process.terminate()
    return seconds


if __name__ == "__main__":
    main()
