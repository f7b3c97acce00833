"""The commands that need no window."""

from trainers.cli.options import plainly, runs_option

COMMANDS = {
    "train": "trainers.cli.training:train",
    "resume": "trainers.cli.training:resume",
    "sweep": "trainers.cli.sweep:sweep",
    "runs": "trainers.cli.measuring:list_runs",
    "evaluate": "trainers.cli.measuring:evaluate",
    "reproduce": "trainers.cli.reproduction:reproduce",
    "export": "trainers.cli.carrying:export",
    "import": "trainers.cli.data:import_",
    "download": "trainers.cli.data:download",
    "datasets": "trainers.cli.data:datasets",
}
"""By name, in the order in which help lists them: where each is, loaded when it is asked for."""

__all__ = ["COMMANDS", "plainly", "runs_option"]
