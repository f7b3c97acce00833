"""Work of a child process that lasts until it is ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.storage import drafts

if TYPE_CHECKING:
    from trainers.child_process import ParentPipe


def make_draft(parent: ParentPipe, folder: str) -> None:
    with drafts.locked_draft_folder(Path(folder)) as draft:
        (draft / "file").write_bytes(b"x")
        parent.send("made")
        while True:
            time.sleep(0.01)
