"""The types of config values that have a fixed set of choices or a fixed bound."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Activation = Literal["linear", "sigmoid", "tanh", "relu", "elu", "gelu", "silu"]
Likelihood = Literal["squared-error", "bernoulli"]
Corruption = Literal["none", "gaussian", "masking"]
Schedule = Literal["constant", "linear", "cosine"]
Binarisation = Literal["none", "dynamic"]
Device = Literal["auto", "cpu", "cuda", "mps"]
EngineName = Literal["auto", "autograd", "autograd-bf16", "layerwise", "layerwise-bf16"]
Precision = Literal["float32", "float16"]
Width = Annotated[int, Field(ge=1, le=4096)]
Channels = Annotated[int, Field(ge=1, le=512)]
