"""Every reader of something from outside, with files that it takes.

What a reader may do with a file: answer, or raise an error of the project's own whose message names
the file. It raises nothing else, needs no more memory than the file and the project's limits
account for, and writes nowhere but where it is told to.
"""

from __future__ import annotations

from tests.fuzzing.readers.of_images import IMAGES
from tests.fuzzing.readers.of_runs import ARCHIVES, RUNS, WITH_TORCH

READERS = {reader.name: reader for reader in (*RUNS, *IMAGES, *ARCHIVES, *WITH_TORCH)}
"""By name, those that cost least first."""
