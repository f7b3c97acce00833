"""Writes the report: one self-contained page, and its figures and tables as files beside it.

The same results give the same bytes. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trainers.figures.style import inline_svg
from trainers.presets import PRESETS
from trainers.reproduction.claims import judge_claims
from trainers.reproduction.figures import draw_figures
from trainers.reproduction.plan import LATENT_DIM
from trainers.reproduction.result_index import METHODS, NON_LINEAR, collect_results, knn_accuracy
from trainers.reproduction.table_format import format_cell
from trainers.reproduction.tables import build_tables
from trainers.storage import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from trainers.reproduction.result_index import CollectedResults
    from trainers.reproduction.verdict import Claim

PAGE = "report.html"
"""The file name of the page."""

_TEMPLATE = "templates/report.html.j2"


@dataclass(frozen=True)
class Facts:
    """The training time, devices and software versions of the existing results.

    Attributes
    ----------
    seconds
        The training time of all runs together.
    devices, versions
        Every device and every software version, sorted; several if the runs were trained on
        different machines.
    """

    seconds: float
    devices: tuple[str, ...]
    versions: tuple[str, ...]

    @property
    def time(self) -> str:
        """The training time in hours and minutes."""
        minutes = round(self.seconds / 60)
        return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def write_report(results_folder: Path, out: Path, *, quick: bool) -> Path:
    """Writes the report of the existing results, complete or not.

    Parameters
    ----------
    results_folder
        The folder of results, as `trainers.reproduction.result_files` writes it.
    out
        The folder for `report.html`, each figure as PNG and SVG, and each table as CSV. Files of
        these names are replaced; a figure that no longer has results is removed.
    quick
        Whether the results belong to the quick plan. Every figure then says so.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        When a result is damaged.
    OSError
        When `out` cannot be written.
    """
    collected = collect_results(results_folder, quick=quick)
    claims = judge_claims(collected)
    figures, tables = draw_figures(collected), build_tables(collected, claims)
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in figures.items():
        for suffix in ("png", "svg"):
            place = out / f"{name}.{suffix}"
            if picture is None:
                place.unlink(missing_ok=True)
            else:
                atomic.replace_file(place, picture.png if suffix == "png" else picture.svg)
    for name, table in tables.items():
        atomic.replace_file(out / f"{name}.csv", table.csv().encode())
    page = (
        _environment()
        .from_string(_template())
        .render(
            collected=collected,
            facts=_facts(collected),
            findings=_findings(collected, claims),
            claims=claims,
            figures=figures,
            tables=tables,
            quick=collected.notice,
        )
    )
    atomic.replace_file(out / PAGE, page.encode())
    return out / PAGE


def _template() -> str:
    return resources.files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["format_cell"] = lambda cell, column: format_cell(column, cell)
    environment.filters["inline_svg"] = lambda picture: Markup(inline_svg(picture))
    return environment


def _facts(collected: CollectedResults) -> Facts:
    found = [f.result for f in collected.finished]
    return Facts(
        seconds=sum(r.seconds for r in found),
        devices=tuple(
            sorted({f"{r.device}, {r.threads} thread{'s' * (r.threads != 1)}" for r in found})
        ),
        versions=tuple(sorted({f"{name} {v}" for r in found for name, v in r.versions.items()})),
    )


def _findings(collected: CollectedResults, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """Returns the main findings that have results, one sentence each."""
    sentences = (
        "" if collected.finished else "No run of the plan is trained yet.",
        _errors(collected),
        _plane(collected),
        _accuracy(collected),
        _verdicts(claims),
    )
    return tuple(sentence for sentence in sentences if sentence)


def _errors(collected: CollectedResults) -> str:
    errors = {
        name: collected.spread_over_seeds(lambda f: f.squared_error, name) for name in METHODS
    }
    there = {name: error for name, error in errors.items() if error is not None}
    floor = there.pop("pca", None)
    there.pop("linear", None)
    if floor is None or not there:
        return ""
    best = min(there, key=lambda name: there[name].mean)
    worst = max(there, key=lambda name: there[name].mean)
    sentence = (
        f"With {LATENT_DIM} numbers for a digit, PCA leaves a squared error of {floor.mean:.2f} "
        f"per test image; the {_title_in_sentence(best)} leaves {there[best].mean:.2f}, "
        f"{there[best].mean / floor.mean:.2f} times as much"
    )
    if worst == best:
        return f"{sentence}."
    return (
        f"{sentence}, and the {_title_in_sentence(worst)}, the worst of the non-linear ones, "
        + (f"{there[worst].mean:.2f}.")
    )


def _title_in_sentence(name: str) -> str:
    """Returns a method's title in lower case, unless it begins with a name."""
    title = PRESETS[name].title
    return title if title[1].isupper() or name == "relu" else title[0].lower() + title[1:]


def _plane(collected: CollectedResults) -> str:
    found = [
        s for f in collected.runs("linear") if (s := f.result.measurement.subspace) is not None
    ]
    if not found:
        return ""
    angle = max(max(figures.principal_angles) for figures in found)
    seeds = "1 seed" if len(found) == 1 else f"{len(found)} seeds"
    return (
        f"The linear autoencoder ends at {max(f.ratio for f in found):.4f} times PCA's error, its "
        f"plane {angle:.2f}° from PCA's (largest principal angle; the worst of {seeds})."
    )


def _accuracy(collected: CollectedResults) -> str:
    found = {name: collected.spread_over_seeds(knn_accuracy, name) for name in NON_LINEAR}
    there = [accuracy.mean for accuracy in found.values() if accuracy is not None]
    pixels = collected.pixels
    if not there or pixels is None:
        return ""
    least, most = f"{100 * min(there):.1f}", f"{100 * max(there):.1f}"
    reached = f"{most} %" if least == most else f"{least} to {most} %"
    return (
        f"Nearest neighbours among the {LATENT_DIM} numbers name {reached} of the test digits, "
        f"among the 784 raw pixels {100 * pixels.nearest_neighbours:.1f} %."
    )


def _verdicts(claims: tuple[Claim, ...]) -> str:
    holds, fails, unsettled = (
        sum(claim.verdict == verdict for claim in claims)
        for verdict in ("holds", "does not hold", "open")
    )
    return (
        f"Of {len(claims)} claims, by the thresholds named below, {holds} "
        f"{'holds' if holds == 1 else 'hold'}, {fails} {'does' if fails == 1 else 'do'} not, and "
        f"{unsettled} {'is' if unsettled == 1 else 'are'} open."
    )
