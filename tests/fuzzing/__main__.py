"""Tries readers with inputs that are found by following which lines they reach.

    uv run --group fuzz python -m tests.fuzzing [READER…] [--inputs 200000] [--keep] [--record]

Each reader runs in a process of its own, may hold a gigabyte more than what it holds once it is
loaded, and has 20 seconds for a file. It begins with valid files and with the corpus that was found
before. What a reader may not do is written down as a file beside the corpus and told. `--keep`
adds the smallest of the files that reached something new to the corpus.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from tests.fuzzing.readers import READERS
from tests.reliability.table import Row, read_rows, write_rows

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 20
_MOST_KEPT, _LARGEST = 40, 2_000
"""Files of a reader, and bytes of a file, that are added to the corpus."""


class Outcome(NamedTuple):
    """What came of a reader's inputs."""

    tried: int
    seconds: float
    crashes: tuple[Path, ...]
    told: str


def fuzzed(name: str, inputs: int, found: Path, *options: str) -> Outcome:
    """Tries a reader on so many inputs; new ones that reach more lie in `found` afterwards."""
    crashes = found.with_name(f"{name}-crashes")
    crashes.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzzing.one", name, str(found)]
    if (CORPUS / name).is_dir():
        command.append(str(CORPUS / name))
    command += [f"-artifact_prefix={crashes}/", f"-timeout={SECONDS}", "-print_final_stats=1"]
    command += [f"-runs={inputs}", "-rss_limit_mb=0", "-seed=1", *options]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    tried = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    left = tuple(sorted(crashes.iterdir()))
    if done.returncode and not left:
        left = (crashes,)
    return Outcome(
        int(tried[1]) if tried else 0,
        time.monotonic() - began,
        left,
        done.stdout[-4_000:] + done.stderr[-1_000:],
    )


def keep_found(name: str, found: Path) -> None:
    """Adds the smallest of what was found to the corpus; each is as small as libFuzzer could."""
    place = CORPUS / name
    place.mkdir(parents=True, exist_ok=True)
    for file in sorted(found.iterdir(), key=lambda file: file.stat().st_size)[:_MOST_KEPT]:
        if file.stat().st_size <= _LARGEST:
            shutil.copy(file, place / file.name[:12])


@click.command()
@click.argument("readers", nargs=-1, type=click.Choice(list(READERS)))
@click.option("--inputs", default=200_000, show_default=True, help="For each reader.")
@click.option("--keep", "keeps", is_flag=True, help="Add what was found to the corpus.")
@click.option("--record", is_flag=True, help="Write the counts into docs/reliability.md.")
def main(readers: tuple[str, ...], inputs: int, keeps: bool, record: bool) -> None:
    """Try READERS, or all of them."""
    has_failed = False
    for name in readers or READERS:
        with tempfile.TemporaryDirectory(prefix=f"fuzzing-{name}-") as folder:
            found = Path(folder) / "found"
            found.mkdir()
            outcome = fuzzed(name, inputs, found)
            click.echo(f"{name}: {outcome.tried:,} inputs in {outcome.seconds:.0f} s")
            for crash in outcome.crashes:
                kept = Path(f"{name}-{crash.name}")
                if crash.is_file():
                    shutil.copy(crash, kept)
                click.echo(f"FAILED, see {kept}:\n{outcome.told}", err=True)
            has_failed |= bool(outcome.crashes)
            if keeps:
                keep_found(name, found)
            if record:
                _record(name, outcome)
    sys.exit(has_failed)


def _record(name: str, outcome: Outcome) -> None:
    row = Row(
        part="Hostile files",
        fault=f"Any bytes for {READERS[name].spoken}",
        promise="it is read, or one message names the file and what is wrong; nothing else happens",
        test=f"python -m tests.fuzzing {name}",
        tried=f"{outcome.tried:,} inputs",
        lost="**it failed**" if outcome.crashes else "nothing",
    )
    write_rows([*(other for other in read_rows() if other.test != row.test), row])


if __name__ == "__main__":
    main()
