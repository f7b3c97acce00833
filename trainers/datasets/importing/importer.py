"""From a source to the store: one pass, every flaw counted, kept only when it is agreed to."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets import spectrum, store
from trainers.datasets.catalogue import ENTRIES
from trainers.datasets.description import MOST_NAME, PREVIEW_COUNT, Dataset, check_name
from trainers.datasets.importing.conversion import (
    LEAST_SIDE,
    MOST_SIDE,
    Colour,
    Conversion,
)
from trainers.datasets.importing.import_errors import Flaw, FlawError, Flaws
from trainers.datasets.importing.import_report import name_classes
from trainers.datasets.importing.split_plan import plan_splits
from trainers.datasets.importing.store_writer import StoreWriter
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from trainers.datasets.sources import Source
    from trainers.datasets.store import StoredSplit

FEWEST_IMAGES = 100
"""Images that a data set has at least."""

_SLICE_SECONDS = 0.02
_UNUSUAL_SIDE = 64
_RELEASE_INTERVAL = 32
_MOST_HISTORY, _MOST_RANGES = 2_000, 16


@dataclass(frozen=True)
class ImportRequest:
    """What a source is to become.

    Attributes
    ----------
    name, title
        Of the data set.
    conversion
        What is done to each image.
    has_labels
        Whether labels are taken over.
    classes
        Names of the classes in place of the source's.
    centred
        Whether drawings are to be centred as MNIST's digits are.
    joins_validation
        Whether validation images become training images; otherwise they are kept apart.
    left_out
        Names of the source's classes whose images are left out.
    """

    name: str
    title: str = ""
    conversion: Conversion = field(default_factory=Conversion)
    has_labels: bool = True
    classes: tuple[str, ...] = ()
    centred: bool = False
    joins_validation: bool = False
    left_out: tuple[str, ...] = ()

    def class_names(self, source: Source) -> tuple[str, ...]:
        """Returns the names of the classes that the data set will have.

        Raises
        ------
        DataError
            When the given names are not as many as the classes.
        """
        names = self.classes or _known_names(self.name, source)
        numbers = source.class_numbers
        if len(names) != len(source.classes):
            if not numbers or numbers[-1] >= len(names):
                raise DataError(
                    f"{len(names):,} names are given for {len(source.classes):,} classes: "
                    f"{name_classes(source.classes)}. Give a name for each."
                )
            names = tuple(names[number] for number in numbers)
        return tuple(
            name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"
            for name, known in zip(names, source.classes, strict=True)
            if known not in self.left_out
        )


class ImportDraft:
    """A draft of a data set, to be kept or discarded.

    Attributes
    ----------
    dataset
        What it would be.
    flaws
        What had to be left out.
    warnings
        What the user should know before the data set is kept, in sentences.
    """

    def __init__(
        self, dataset: Dataset, flaws: Flaws, writer: StoreWriter, warnings: tuple[str, ...] = ()
    ) -> None:
        self.dataset, self.flaws, self.warnings = dataset, flaws, warnings
        self._writer = writer

    def keep(self) -> Dataset:
        """Puts it into the store.

        Raises
        ------
        DataError
            When that cannot be.
        """
        self._writer.keep()
        return self.dataset

    def discard(self) -> None:
        """Leaves nothing of it."""
        self._writer.discard()


def default_conversion(source: Source) -> Conversion:
    """What suggests itself: images of one size that is allowed stay as they are."""
    sizes = source.sizes()
    colour: Colour = "rgb" if any(channels == 3 for *_, channels in sizes) else "grey"
    sides = {(height, width) for height, width, _ in sizes}
    if len(sides) == 1:
        ((height, width),) = sides
        if height == width and LEAST_SIDE <= height <= MOST_SIDE:
            return Conversion(side=height, fit="exact", colour=colour)
        if max(height, width) <= MOST_SIDE:
            return Conversion(side=max(height, width, LEAST_SIDE), fit="pad", colour=colour)
    return Conversion(side=_UNUSUAL_SIDE, fit="crop", colour=colour)


def import_images(source: Source, wanted: ImportRequest) -> Generator[float, None, ImportDraft]:
    """Converts every image; yields the share done, some fifty times a second.

    A draft is written meanwhile; closing the generator deletes it.

    Raises
    ------
    DataError
        When the name is no such or taken, the range of the values is not known, images and labels
        do not belong together, too few images are left, or the disk is full.
    """
    _check_request(source, wanted)
    work = _ImportWork(source, wanted)
    try:
        yield from work.convert()
        dataset = work.describe()
        components: dict[str, NDArray[np.generic]] = {}
        if dataset.pixels <= spectrum.MOST_RANDOMISED:
            splits = [work.writer.images(dataset.shape, part) for part in ("train", "test")]
            components = vars((yield from spectrum.fit_spectrum(*splits)))
        complete = work.writer.finish(dataset, components)
    except BaseException:
        work.writer.discard()
        raise
    return ImportDraft(complete, work.flaws, work.writer, work.warnings)


class _ImportWork:
    """Converts the images of a source, one split after the other."""

    def __init__(self, source: Source, wanted: ImportRequest) -> None:
        self._source, self._wanted = source, wanted
        self._has_labels = wanted.has_labels and bool(source.classes)
        self._plan = plan_splits(
            source, has_labels=self._has_labels, joins_validation=wanted.joins_validation
        )
        self._names = wanted.class_names(source) if self._has_labels else ()
        self._numbers = _number_classes(source, wanted)
        self.flaws = Flaws()
        for flaw in source.flaws:
            self.flaws.add(flaw)
        self.writer = StoreWriter(wanted.name, self._names)
        self._is_tried = np.zeros(source.count, np.bool_)
        self._left_out = 0
        self._first: bytes | None = None
        self._is_uniform = True

    def convert(self) -> Generator[float, None, None]:
        """Converts test, validation and training images; yields the share done."""
        clock = _SliceClock()
        for split, index in self._order():
            self._is_tried[index] = True
            self._import_image(index, split)
            if clock.is_over():
                yield np.count_nonzero(self._is_tried) / self._source.count

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before the data set is kept."""
        if not self._is_uniform:
            return ()
        return (
            "All images are the same. A model learns this one image, and nothing varies in its "
            "latent space. Check the range of the values and the files.",
        )

    def describe(self) -> Dataset:
        """Describes the data set.

        Raises
        ------
        DataError
            When too few images are left.
        """
        source, wanted, counts = self._source, self._wanted, self.writer.counts
        if counts["test"] < PREVIEW_COUNT or counts["train"] < PREVIEW_COUNT:
            reason = f": {self.flaws.summary}" if self.flaws.total else ""
            raise DataError(
                f"{counts['train']:,} training and {counts['test']:,} test images are left of the "
                f"{source.count:,} in {source.path}{reason}. There must be {PREVIEW_COUNT} of each."
                f" {'; '.join(self.flaws.lines(1))}"
            )
        return Dataset(
            name=wanted.name,
            title=wanted.title or wanted.name,
            side=wanted.conversion.side,
            channels=wanted.conversion.channels,
            classes=self._names,
            train=counts["train"],
            validation=counts["validation"],
            test=counts["test"],
            centred=wanted.centred,
            conversion=wanted.conversion,
            ranges=tuple(
                (name, known.low, known.high)
                for name, known in source.ranges.items()
                if known.reason != "known"
            )[:_MOST_RANGES],
            history=self._history()[:_MOST_HISTORY],
        )

    def _history(self) -> str:
        source = self._source
        text = (
            f"{source.kind[0].upper()}{source.kind[1:]} ({source.path.name}): "
            f"{self._wanted.conversion.description()}."
        )
        unusual = [r for r in source.ranges.values() if r.reason != "known" or r.clipped]
        parts = [known.description() for known in unusual]
        if source.is_transposed:
            parts.append("Rows and columns were swapped.")
        if self._left_out:
            names = ", ".join(self._wanted.left_out)
            parts.append(f"{self._left_out:,} of class {names} left out on request.")
        if self.flaws.total:
            parts.append(f"{self.flaws.total:,} left out: {self.flaws.summary}.")
        return " ".join([text, *parts])

    def _order(self) -> Generator[tuple[StoredSplit, int], None, None]:
        """Yields each image with its split: test images, until they are enough, then the rest."""
        is_kept_apart = np.zeros(self._source.count, np.bool_)
        is_kept_apart[self._plan.validation] = True
        for index in self._plan.candidates.tolist():
            if self.writer.counts["test"] == self._plan.tests:
                break
            yield "test", index
        for index in self._plan.validation.tolist():
            yield "validation", index
        for index in np.flatnonzero(~(self._is_tried | is_kept_apart)).tolist():
            yield "train", index

    def _import_image(self, index: int, split: StoredSplit) -> None:
        source = self._source
        try:
            label = source.label(index) if self._has_labels else 0
            number = self._numbers[label] if self._has_labels else 0
            if number < 0:
                self._left_out += 1
                return
            image = self._wanted.conversion.apply(source.image(index))
        except FlawError as error:
            self.flaws.add(Flaw(source.name(index), error.kind, str(error)))
            return
        self.writer.add(image, number, split)
        if self._is_uniform:
            content = image.tobytes()
            self._first = self._first or content
            self._is_uniform = content == self._first
        if sum(self.writer.counts.values()) % _RELEASE_INTERVAL == 0:
            source.release()


def preview_conversion(
    source: Source, conversion: Conversion, indices: list[int]
) -> tuple[list[NDArray[np.uint8] | None], list[NDArray[np.uint8] | None], list[str]]:
    """Some images before and after, with what is wrong with each (empty: nothing)."""
    before: list[NDArray[np.uint8] | None] = []
    after: list[NDArray[np.uint8] | None] = []
    wrong = []
    for index in indices:
        shown = made = None
        reason = ""
        try:
            shown = source.image(index)
            made = conversion.apply(shown)
        except FlawError as error:
            reason = f"{source.name(index)}: {error.kind} ({error})"
        before.append(shown)
        after.append(made)
        wrong.append(reason)
    return before, after, wrong


class _SliceClock:
    """Tells when a slice of time is over."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def is_over(self) -> bool:
        now = time.perf_counter()
        if now - self._began < _SLICE_SECONDS:
            return False
        self._began = now
        return True


def _check_request(source: Source, wanted: ImportRequest) -> None:
    check_name(wanted.name)
    if wanted.name in store.dataset_names():
        raise DataError(f"There is a data set {wanted.name!r} already; choose another name.")
    if wanted.has_labels and source.label_problem:
        raise DataError(source.label_problem)
    if source.range_problem:
        raise DataError(source.range_problem)
    if len(wanted.title) > MOST_NAME:
        raise DataError(
            f"The title has {len(wanted.title):,} characters; {MOST_NAME} are the most. Shorten it."
        )
    if source.count < FEWEST_IMAGES:
        raise DataError(
            f"{source.path} has {source.count:,} images. At least {FEWEST_IMAGES} are needed."
        )
    unknown = [name for name in wanted.left_out if name not in source.classes]
    if unknown:
        raise DataError(
            f"There is no class {unknown[0]!r} to leave out. The classes are "
            f"{name_classes(source.classes) or 'unknown: there are no labels'}."
        )
    needed = source.count * wanted.conversion.side**2 * wanted.conversion.channels
    place = store.folder()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise DataError(
            f"The data set needs {needed:,} bytes and {store.folder()} has {free:,} left. Free "
            "some space, or make the images smaller."
        )


def _number_classes(source: Source, wanted: ImportRequest) -> list[int]:
    """Returns the number that each class of the source will have; -1 where it is left out."""
    is_kept = [name not in wanted.left_out for name in source.classes]
    return [sum(is_kept[:at]) if kept else -1 for at, kept in enumerate(is_kept)]


def _known_names(name: str, source: Source) -> tuple[str, ...]:
    """The names of the classes, where they are mere numbers of a data set that is well known."""
    known, numbers = ENTRIES[name].classes if name in ENTRIES else (), source.class_numbers
    are_numbers = source.classes == tuple(map(str, numbers)) and bool(numbers)
    return known if known and are_numbers and numbers[-1] < len(known) else source.classes
