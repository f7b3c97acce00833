"""Descriptions against the models that they describe."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from trainers.models import added_families, build, describe, families
from trainers.presets import preset


@pytest.mark.parametrize("name", ["elu", "vae"])
@pytest.mark.parametrize("shape", [(28, 28), (16, 16, 3)])
def test_the_described_weights_are_those_of_the_model(name: str, shape: tuple[int, ...]) -> None:
    config = preset(name).model
    with torch.device("meta"):
        model = build(config, pixels=28**2 if len(shape) == 2 else 16**2 * 3)
    count = sum(weight.numel() for weight in model.parameters())
    assert describe(config, shape).splitlines()[1] == f"{count:,} weights"


@pytest.mark.parametrize(
    ("name", "shape", "description"),
    [
        ("pca", (28, 28), "784 – 5 – 784, solved in closed form"),
        ("conv-vae", (28, 28), "1 → 32 → 64 channels – 256 – 5, mirrored"),
        ("conv-vae", (32, 32, 3), "3 → 32 → 64 channels – 256 – 5, mirrored"),
        ("hinton30", (28, 28), "784 – 1000 – 500 – 250 – 30 – 250 – 500 – 1000 – 784, gelu"),
    ],
)
def test_the_layers_of_the_papers_models(
    name: str, shape: tuple[int, ...], description: str
) -> None:
    assert describe(preset(name).model, shape).splitlines()[0] == description


def test_every_family_of_the_paper_has_a_description_that_loads_no_torch() -> None:
    code = (
        "import sys; from trainers.config import ModelConfig; from trainers.models import describe;"
        "print(*(describe(ModelConfig(family=f), (28, 28)) for f in sys.argv[1:]), sep='\\n');"
        "sys.exit('torch' in sys.modules)"
    )
    own = [family for family in families() if family not in added_families()]
    command = [sys.executable, "-X", "utf8", "-c", code, *own]
    program = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    assert not any(f"{family}, 5 codes" in program.stdout for family in own)
