"""From a source to the store: one pass, every flaw counted, kept only when it is agreed to."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainers.datasets import spectrum, store
from trainers.datasets.catalogue import ENTRIES
from trainers.datasets.description import PREVIEW_COUNT, Dataset, check_name
from trainers.datasets.importing.conversion import (
    LEAST_SIDE,
    MOST_SIDE,
    Colour,
    Conversion,
)
from trainers.datasets.importing.import_errors import Flaw, FlawError, Flaws
from trainers.datasets.importing.store_writer import StoreWriter
from trainers.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from trainers.datasets.sources import Source

FEWEST_IMAGES = 100
"""Images that a data set has at least."""
MOST_TEST_IMAGES = 10_000

_TEST_SHARE = 10
_SPLIT_SEED = 0x5917
_SLICE_SECONDS = 0.02
_UNUSUAL_SIDE = 64
_RELEASE_INTERVAL = 32


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
    """

    name: str
    title: str = ""
    conversion: Conversion = field(default_factory=Conversion)
    has_labels: bool = True
    classes: tuple[str, ...] = ()
    centred: bool = False


class ImportDraft:
    """A draft of a data set, to be kept or discarded.

    Attributes
    ----------
    dataset
        What it would be.
    flaws
        What had to be left out.
    """

    def __init__(self, dataset: Dataset, flaws: Flaws, writer: StoreWriter) -> None:
        self.dataset, self.flaws = dataset, flaws
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
        When the name is no such or taken, too few images are left, or the disk is full.
    """
    _check_request(source, wanted)
    flaws = Flaws()
    for flaw in source.flaws:
        flaws.add(flaw)
    candidates, wanted_tests = _choose_test_candidates(source)
    writer = StoreWriter(wanted.name)
    try:
        is_tried = np.zeros(source.count, np.bool_)
        clock = _SliceClock()
        for index in candidates.tolist():
            if writer.counts["test"] == wanted_tests:
                break
            is_tried[index] = True
            _import_image(source, wanted, index, True, writer, flaws)
            if clock.is_over():
                yield int(is_tried.sum()) / source.count
        before = int(is_tried.sum())
        for done, index in enumerate(np.flatnonzero(~is_tried).tolist(), before):
            _import_image(source, wanted, index, False, writer, flaws)
            if clock.is_over():
                yield done / source.count
        dataset = _describe_dataset(source, wanted, writer, flaws)
        components: dict[str, NDArray[np.generic]] = {}
        if dataset.pixels <= spectrum.MOST_RANDOMISED:
            splits = [writer.images(dataset.shape, is_test=test) for test in (False, True)]
            components = vars((yield from spectrum.fit_spectrum(*splits)))
        complete = writer.finish(dataset, components)
    except BaseException:
        writer.discard()
        raise
    return ImportDraft(complete, flaws, writer)


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
    if source.count < FEWEST_IMAGES:
        raise DataError(
            f"{source.path} has {source.count:,} images. At least {FEWEST_IMAGES} are needed."
        )
    if wanted.classes and len(wanted.classes) != len(source.classes):
        raise DataError(f"{len(wanted.classes)} names are given for {len(source.classes)} classes.")
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


def _choose_test_candidates(source: Source) -> tuple[NDArray[np.intp], int]:
    """Which images may become test images, in this order, and how many are to.

    The source's own, if they are enough; else a tenth, drawn by a fixed seed, others taking the
    place of those that cannot be read.
    """
    own = source.is_test
    if own is not None and own.sum() >= PREVIEW_COUNT and (~own).sum() >= PREVIEW_COUNT:
        return np.flatnonzero(own), int(own.sum())
    drawn = np.random.default_rng(_SPLIT_SEED).permutation(source.count)
    return drawn, min(MOST_TEST_IMAGES, max(PREVIEW_COUNT, source.count // _TEST_SHARE))


def _import_image(
    source: Source,
    wanted: ImportRequest,
    index: int,
    is_test: bool,
    writer: StoreWriter,
    flaws: Flaws,
) -> None:
    try:
        label = source.label(index) if wanted.has_labels and source.classes else 0
        image = wanted.conversion.apply(source.image(index))
    except FlawError as error:
        flaws.add(Flaw(source.name(index), error.kind, str(error)))
        return
    writer.add(image, label, is_test=is_test)
    if sum(writer.counts.values()) % _RELEASE_INTERVAL == 0:
        source.release()


def _describe_dataset(
    source: Source, wanted: ImportRequest, writer: StoreWriter, flaws: Flaws
) -> Dataset:
    train, test = writer.counts["train"], writer.counts["test"]
    if test < PREVIEW_COUNT or train < PREVIEW_COUNT:
        reason = f": {flaws.summary}" if flaws.total else ""
        raise DataError(
            f"{train:,} training and {test:,} test images are left of the {source.count:,} in "
            f"{source.path}{reason}. There must be {PREVIEW_COUNT} of each. "
            + "; ".join(flaws.lines(1))
        )
    has_labels = wanted.has_labels and bool(source.classes)
    names = wanted.classes or _known_names(wanted.name, source.classes)
    conversion = wanted.conversion
    left_out = f" {flaws.total:,} left out: {flaws.summary}." if flaws.total else ""
    return Dataset(
        name=wanted.name,
        title=wanted.title or wanted.name,
        side=conversion.side,
        channels=conversion.channels,
        classes=names if has_labels else (),
        train=train,
        test=test,
        centred=wanted.centred,
        conversion=conversion,
        history=f"{source.kind[0].upper()}{source.kind[1:]} ({source.path.name}): "
        f"{conversion.description()}." + left_out,
    )


def _known_names(name: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the classes, where they are mere numbers of a data set that is well known."""
    known = ENTRIES[name].classes if name in ENTRIES else ()
    are_numbers = classes == tuple(str(label) for label in range(len(known)))
    return known if known and are_numbers else classes
