"""The exporters: the table that the dialog, the command and the README are made from.

Loads no torch: an exporter's module is imported when it is first used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.errors import ExportError
from trainers.optional_packages import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from trainers.runs import Checkpoint, Run

    Function = Callable[["Task"], Iterator[None]]

EXTRA = "export"
"""The extra of pyproject.toml with every package that an exporter needs."""


@dataclass(frozen=True)
class Task:
    """The run, the checkpoint and the folder of an export.

    Attributes
    ----------
    run
        Of which run.
    checkpoint
        At which step.
    folder
        Where an exporter writes its files; an empty folder of its own.
    """

    run: Run
    checkpoint: Checkpoint
    folder: Path


@dataclass(frozen=True)
class Exporter:
    """One kind of export.

    Attributes
    ----------
    name
        What the command calls it.
    label
        What the dialog calls it.
    meaning
        What it is good for, in a sentence.
    files
        What it writes; {run} stands for the run's name.
    function
        "module:function" within `trainers.exporting`; the function writes into its task's folder
        and yields in between, so that others may be served.
    needs
        Packages of the extra "export", by the name they are imported by.
    """

    name: str
    label: str
    meaning: str
    files: tuple[str, ...]
    function: str
    needs: tuple[str, ...] = ()

    @property
    def endings(self) -> str:
        """The endings of its files, as ".csv" or ".png, .svg"."""
        return ", ".join(dict.fromkeys(f".{name.rpartition('.')[2]}" for name in self.files))

    def places(self, run: Run) -> tuple[str, ...]:
        """Returns its files for a run, relative to the folder."""
        return tuple(name.format(run=run.name) for name in self.files)

    def missing(self) -> str:
        """Returns what to do before it can be used; empty where nothing is missing."""
        return missing_packages(self.label, self.needs, EXTRA)

    def write(self, task: Task) -> Iterator[None]:
        """Writes its files into the task's folder, yielding in between."""
        module, function = self.function.split(":")
        found: Any = getattr(import_module(f"trainers.exporting.{module}"), function)
        yield from found(task)


EXPORTERS: dict[str, Exporter] = {
    exporter.name: exporter
    for exporter in (
        Exporter(
            "onnx",
            "ONNX",
            "Encoder and decoder for any program that runs ONNX, checked against this one.",
            ("encoder.onnx", "decoder.onnx"),
            "onnx_exporter:write",
            ("onnx", "onnxruntime"),
        ),
        Exporter(
            "safetensors",
            "Weights",
            "Encoder and decoder as safetensors, with a script that loads them by torch alone.",
            ("weights.safetensors", "load_model.py"),
            "weights_exporter:write",
        ),
        Exporter(
            "csv",
            "Codes, CSV",
            "The code, the label and the class of every test image, a row each.",
            ("codes.csv",),
            "codes_exporter:write_csv",
        ),
        Exporter(
            "npy",
            "Codes, NumPy",
            "The same as arrays: (n, d) float32 and (n,) labels.",
            ("codes.npy", "labels.npy"),
            "codes_exporter:write_npy",
        ),
        Exporter(
            "projector",
            "Embedding Projector",
            "Codes, labels and a sprite of the images for TensorBoard's Embedding Projector.",
            tuple(
                f"projector/{name}"
                for name in ("codes.tsv", "labels.tsv", "sprite.png", "projector_config.pbtxt")
            ),
            "codes_exporter:write_projector",
        ),
        Exporter(
            "metrics",
            "Metrics, CSV",
            "The losses of every step, and the test figures of every checkpoint.",
            ("losses.csv", "checkpoints.csv"),
            "metrics_exporter:write",
        ),
        Exporter(
            "tensorboard",
            "TensorBoard",
            "The same figures, and the reconstructions, as TensorBoard's events.",
            ("tensorboard/{run}.tfevents",),
            "tensorboard_exporter:write",
            ("tensorboard",),
        ),
        Exporter(
            "pictures",
            "Pictures",
            "Reconstructions, losses and latent space as figures.",
            tuple(
                f"{name}.{ending}"
                for name in ("reconstructions", "losses", "codes")
                for ending in ("png", "svg")
            ),
            "pictures_exporter:write",
        ),
        Exporter(
            "zip",
            "The whole run",
            "One archive that opens elsewhere, to be explored and continued.",
            ("{run}.aeviewer.zip",),
            "archive_exporter:write",
        ),
    )
}
"""All exporters by name, in the order in which they are offered."""


def choose_exporters(names: Iterable[str]) -> tuple[Exporter, ...]:
    """Returns the exporters of these names, each once, if all of them can be used here.

    Raises
    ------
    ExportError
        When there is no exporter of such a name, none is named, or packages are missing.
    """
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in EXPORTERS]
    if unknown or not wanted:
        said = f"There is no export called {unknown[0]!r}" if unknown else "Nothing was chosen"
        raise ExportError(f"{said}. There are: {', '.join(EXPORTERS)}.")
    found = tuple(EXPORTERS[name] for name in wanted)
    problems = [problem for exporter in found if (problem := exporter.missing())]
    if problems:
        raise ExportError(problems[0])
    return found


def markdown() -> str:
    """Returns the table for the README."""
    lines = ["| `aeviewer export RUN …` | files | what for |", "|---|---|---|"]
    for exporter in EXPORTERS.values():
        files = ", ".join(f"`{name.format(run='RUN')}`" for name in exporter.files)
        lines.append(f"| `{exporter.name}` | {files} | {exporter.meaning} |")
    return "\n".join(lines)
