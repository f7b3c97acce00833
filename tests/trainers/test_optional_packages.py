from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from trainers import optional_packages
from trainers.embeddings.embedding import UMAP, missing_package
from trainers.errors import AEViewerError, ClusterError
from trainers.exporting.exporters import EXPORTERS
from trainers.figures import film
from trainers.parallel.executors import cluster_workers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyInstaller marks the program that it packs."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)


def test_from_source_an_extra_is_one_command_away() -> None:
    assert not optional_packages.is_packaged()
    assert optional_packages.install_hint("film") == "Run `uv sync --extra film`."
    assert optional_packages.install_hint("") == "Run `uv sync`."


@pytest.mark.usefixtures("packaged")
def test_the_packaged_program_takes_no_packages_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = r"packaged program leaves it out .* from its source with `uv sync --extra {}`"
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(AEViewerError, match=fits.format("film") + ".*GIF"):
        film.encoder_path()
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterError, match=fits.format("cluster")),
        cluster_workers("tcp://127.0.0.1:9", [tmp_path]),
    ):
        pass
    monkeypatch.setattr("trainers.embeddings.embedding.find_spec", lambda _name: None)
    assert "`uv sync --extra umap`" in missing_package(UMAP())
    assert "takes no packages in" in missing_package(UMAP())
    monkeypatch.setattr("trainers.optional_packages.find_spec", lambda _name: None)
    told = EXPORTERS["onnx"].missing()
    assert "packages onnx, onnxruntime, which are not installed. The packaged program" in told
    assert "from its source with `uv sync --extra export`. Or leave it out." in told
