"""The commands for data sets: import, download, datasets."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rich_click as click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from trainers.cli.options import report_errors
from trainers.cli.terminal import damage_text, one_line, open_console
from trainers.datasets import store
from trainers.datasets.catalogue import ENTRIES
from trainers.datasets.importing.conversion import FITS, LEAST_SIDE, MOST_SIDE, Conversion
from trainers.errors import AEViewerError, DataError
from trainers.plain_text import clean_line, clean_text
from trainers.plurals import count_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.console import Console
    from rich.text import Text

    from trainers.datasets import Dataset
    from trainers.datasets.importing.importer import ImportDraft
    from trainers.datasets.sources import Source

T = TypeVar("T")

_EXAMPLES = """Examples:

aeviewer import photos/ --name photos --size 64

aeviewer import train-images-idx3-ubyte.gz --name letters --classes A,B,C

aeviewer import scans.npy --name scans --range 0 4095 --invert --yes"""


@click.command("import", epilog=_EXAMPLES)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="By which --dataset will call it.")
@click.option("--title", default="", help="By which the window calls it; otherwise its name.")
@click.option(
    "--size",
    type=click.IntRange(LEAST_SIDE, MOST_SIDE),
    help="Pixels along the edge of the square images; otherwise what they have, or 64.",
)
@click.option(
    "--fit",
    type=click.Choice(list(FITS)),
    help="How an image becomes a square: its middle, padded, stretched; or only those that fit.",
)
@click.option("--grey/--rgb", "is_grey", default=None, help="Otherwise as the images are.")
@click.option("--invert", is_flag=True, help="Dark becomes bright: for ink on paper.")
@click.option(
    "--range",
    "bounds",
    type=(float, float),
    metavar="LOW HIGH",
    help="The values that become black and white; otherwise found out from the images.",
)
@click.option(
    "--stretch/--no-stretch",
    "is_stretched",
    default=None,
    help="Whether the images' own range is taken; otherwise only where they are far too dark.",
)
@click.option("--transpose", is_flag=True, help="Swap rows and columns, as EMNIST needs it.")
@click.option("--join-validation", is_flag=True, help="Train on the validation images as well.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="Labels of an .npy; or a table of file names and labels, of a folder or .zip.",
)
@click.option("--no-labels", is_flag=True, help="Leave the labels out.")
@click.option("--classes", default="", help="Names of the classes, with commas between.")
@click.option("--without", default="", help="Classes to leave out, with commas between.")
@click.option("--yes", is_flag=True, help="Import, and leave out what cannot be read; ask nothing.")
@report_errors
def import_(
    path: Path,
    name: str,
    title: str,
    size: int | None,
    fit: str | None,
    is_grey: bool | None,
    invert: bool,
    bounds: tuple[float, float] | None,
    is_stretched: bool | None,
    transpose: bool,
    join_validation: bool,
    labels: Path | None,
    no_labels: bool,
    classes: str,
    without: str,
    yes: bool,
) -> None:
    """Make a data set of a person's own images.

    PATH is a folder of images (its sub-folders are the splits or the classes, if it has any) or a
    .zip of one, a folder or file in MNIST's IDX format, gzipped or not, a folder of CIFAR's binary
    files, or an .npy, .npz, .mat, .h5, .csv, .parquet or .tif file. A file labels.csv in the folder
    or beside it has the labels of its files. A tenth is kept for testing, where the source has no
    test images. What will be imported is listed first. Each
    file that is wrong is named, and left out only if you agree.
    """
    from trainers.datasets.importing.import_report import describe_import
    from trainers.datasets.importing.importer import (
        ImportRequest,
        default_conversion,
        import_images,
    )
    from trainers.datasets.sources import detect_source

    console = open_console(stderr=True)
    source: Source = _run_with_bar(detect_source(path, labels), "Looking", console)
    try:
        source.is_transposed = transpose
        _choose_range(source, bounds, is_stretched)
        conversion = _choose_conversion(default_conversion(source), size, fit, is_grey, invert)
        wanted = ImportRequest(
            name,
            title,
            conversion,
            has_labels=not no_labels,
            classes=_split_names(classes),
            joins_validation=join_validation,
            left_out=_split_names(without),
        )
        _show_plan(describe_import(source, wanted), yes=yes, console=console)
        draft: ImportDraft = _run_with_bar(import_images(source, wanted), "Importing", console)
    finally:
        source.close()
    try:
        _agree(draft, yes=yes, console=console)
        dataset = draft.keep()
    except BaseException:
        draft.discard()
        raise
    console.print(one_line(dataset.history), soft_wrap=True)
    console.print(
        f"{dataset.train:,} training and {dataset.test:,} test images of {dataset.size}, "
        f"{_classes(dataset)}. Train on it with: aeviewer train vae --dataset {dataset.name}",
        soft_wrap=True,
    )


@click.command()
@click.argument("name", type=click.Choice(list(ENTRIES)))
@click.option("--mirror", default="", help="An address that has the files too, asked first.")
@report_errors
def download(name: str, mirror: str) -> None:
    """Download a data set that torchvision knows, and import it.

    Ctrl-C keeps what came so far; the same command goes on from there.
    """
    from trainers.datasets.download import download_dataset

    console = open_console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    work = download_dataset(name, mirror)
    with Progress(*columns, console=console, transient=True) as bar, closing(work):
        task = bar.add_task("", total=1.0)
        while True:
            try:
                report = next(work)
            except StopIteration as done:
                dataset: Dataset = done.value
                break
            bar.update(task, description=report.words, completed=report.share or 0.0)
    console.print(
        one_line(f"{dataset.title} is here: {dataset.train:,} training images."), soft_wrap=True
    )


@click.command()
@click.option("--check", is_flag=True, help="Read each through and compare its checksum.")
@click.option("--remove", metavar="NAME", help="Move one to the trash; runs keep what they learnt.")
@report_errors
def datasets(check: bool, remove: str | None) -> None:
    """List the data sets there are."""
    if remove is not None:
        store.remove(remove)
        click.echo(clean_line(f"{remove} is in the trash."))
        return
    console = open_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "images", "classes"):
        table.add_column(heading, overflow="fold")
    for heading in ("training", "test"):
        table.add_column(heading, justify="right")
    table.add_column("state" if check else "checksum")
    for name in store.dataset_names():
        table.add_row(*_row(name, check=check, console=console))
    console.print(table)


def _row(name: str, *, check: bool, console: Console) -> tuple[str | Text, ...]:
    try:
        found = store.dataset_named(name)
        state = found.checksum[:12]
        if check and found.checksum:
            _run_with_bar(store.verify_checksum(name), f"Checking {name}", console)
        if check:
            state = "whole"
        return (
            one_line(name),
            found.size,
            _classes(found),
            f"{found.train:,}",
            f"{found.test:,}",
            state,
        )
    except AEViewerError as error:
        return (one_line(name), damage_text(error), "", "", "", "")


def _choose_conversion(
    usual: Conversion, size: int | None, fit: str | None, is_grey: bool | None, invert: bool
) -> Conversion:
    """Returns the default conversion with the requested changes."""
    changes: dict[str, object] = {"inverted": invert}
    if size is not None and size != usual.side:
        changes |= {"side": size, "fit": "crop"}
    if fit is not None:
        changes["fit"] = fit
    if is_grey is not None:
        changes["colour"] = "grey" if is_grey else "rgb"
    return Conversion.model_validate({**usual.model_dump(), **changes})


def _choose_range(
    source: Source, bounds: tuple[float, float] | None, is_stretched: bool | None
) -> None:
    """Takes the requested range of values, or asks for one where none is known."""
    if bounds is not None:
        source.take_range(*bounds)
    elif is_stretched is not None:
        source.stretch(is_stretched=is_stretched)
    if not source.range_problem:
        return
    if not _is_terminal():
        raise DataError(f"{source.range_problem} Add --range LOW HIGH, or --stretch.")
    click.echo(clean_text(source.range_problem), err=True)
    low, high = (click.prompt(what, type=float, err=True) for what in ("Black", "White"))
    source.take_range(low, high)


def _is_terminal() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty()


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _show_plan(lines: list[str], *, yes: bool, console: Console) -> None:
    """Lists what will be imported; a person at a terminal is asked before anything is written."""
    for line in lines:
        console.print(one_line(line), soft_wrap=True)
    if not yes and _is_terminal() and not click.confirm("Import?", default=True, err=True):
        raise DataError("Nothing is imported.")


def _agree(draft: ImportDraft, *, yes: bool, console: Console) -> None:
    """Lists what is wrong, and asks whether it may be left out."""
    for warning in draft.warnings:
        console.print(one_line(warning), soft_wrap=True)
    flaws = draft.flaws
    if not flaws.total:
        return
    for line in flaws.lines():
        console.print(one_line(line), soft_wrap=True)
    report = f"{flaws.total:,} images cannot be taken: {flaws.summary}."
    if yes:
        console.print(one_line(report), soft_wrap=True)
    elif not _is_terminal() or not click.confirm(clean_line(f"{report} Leave them out?"), err=True):
        raise DataError(f"{report} Nothing is imported. To leave them out, add --yes.")


def _classes(dataset: Dataset) -> str:
    count = len(dataset.classes)
    return count_of(count, "class", "classes") if count else "no labels"


def _run_with_bar(work: Generator[float, None, T], what: str, console: Console) -> T:
    """Runs the work with a progress bar; Ctrl-C leaves nothing behind."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as bar, closing(work):
        task = bar.add_task(clean_line(what), total=1.0)
        while True:
            try:
                bar.update(task, completed=next(work))
            except StopIteration as done:
                found: T = done.value
                return found
