"""The run folder: what it holds, how each file is written, and how it is read with distrust.

`run.py` is the way in. Nothing here loads torch.
"""

from trainers.runs.checkpoint import Checkpoint
from trainers.runs.run import Run
from trainers.runs.run_store import create_run, demo_run, find_runs, open_run
from trainers.runs.status import RunState, Status

__all__ = [
    "Checkpoint",
    "Run",
    "RunState",
    "Status",
    "create_run",
    "demo_run",
    "find_runs",
    "open_run",
]
