"""What an import will do, in sentences, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.datasets.importing.split_plan import plan_splits
from trainers.plurals import count_of

if TYPE_CHECKING:
    from trainers.datasets.importing.importer import ImportRequest
    from trainers.datasets.sources import Source

_MOST_NAMED = 12


def describe_import(source: Source, wanted: ImportRequest) -> list[str]:
    """Describes an import: how many images, which split, classes, range, and what is left out.

    A name with line ends imitates no line of its own.

    Parameters
    ----------
    source
        The images, whose range was measured.
    wanted
        What they are to become.
    """
    has_labels = wanted.has_labels and bool(source.classes)
    lines = [_describe_split(source, wanted, has_labels=has_labels)]
    lines.append(_describe_classes(source, wanted) if has_labels else "No labels.")
    if source.label_problem:
        lines.append(source.label_problem)
    lines += [known.description() for known in source.ranges.values()]
    if source.is_transposed:
        lines.append("Rows and columns are swapped.")
    return [" ".join(line.split()) for line in (*lines, *source.notes)]


def name_classes(names: tuple[str, ...]) -> str:
    """Returns the names of classes in a line: the first ones, and the last."""
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_NAMED - 1])}, …, {names[-1]}"


def _describe_split(source: Source, wanted: ImportRequest, *, has_labels: bool) -> str:
    plan = plan_splits(source, has_labels=has_labels, joins_validation=wanted.joins_validation)
    validation = len(plan.validation)
    training = source.count - plan.tests - validation
    counts = f"{source.count:,} images: {training:,} for training, "
    if validation:
        counts += f"{validation:,} kept apart for validation, "
    return f"{counts}{plan.tests:,} for testing. {plan.description}"


def _describe_classes(source: Source, wanted: ImportRequest) -> str:
    names = wanted.class_names(source)
    count = count_of(len(names), "class", "classes")
    text = f"{count}: {name_classes(names)}."
    if wanted.left_out:
        text += f" Left out on request: {', '.join(wanted.left_out)}."
    return text
