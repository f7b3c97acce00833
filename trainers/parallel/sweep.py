"""All combinations of values of some settings, as named configs."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from trainers.config import RunConfig, fields
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainers.config_fields import Leaf


class Combination(NamedTuple):
    """One point of a sweep: the name of its run, and its config."""

    name: str
    config: RunConfig


def combinations(
    base: RunConfig, values: Mapping[str, Sequence[object]], stem: str
) -> tuple[Combination, ...]:
    """Returns every combination once; the last setting changes fastest.

    Combinations that differ only in settings without effect are the same.

    Parameters
    ----------
    base
        The config that gives all other settings.
    values
        The values of each setting, by its name in `trainers.config.fields`.
    stem
        The beginning of every name.

    Raises
    ------
    ConfigError
        When a value is out of bounds.
    RunError
        When a name is not valid for a run.
    """
    distinct: dict[tuple[object, ...], Combination] = {}
    for chosen in product(*values.values()):
        config = base.replace(**dict(zip(values, chosen, strict=True)))
        effective = tuple(leaf.value(config) for leaf in fields() if leaf.term.applies(config))
        distinct.setdefault(effective, Combination(_combination_name(stem, config, values), config))
    return tuple(distinct.values())


def _combination_name(stem: str, config: RunConfig, values: Mapping[str, Sequence[object]]) -> str:
    """Returns a name such as elu-d5-activation=relu-seed1: dimension, then varied settings."""
    settings = [
        _setting_text(leaf, config)
        for leaf in fields()
        if len(values.get(leaf.name, ())) > 1
        and leaf.name != "latent_dim"
        and leaf.term.applies(config)
    ]
    return runs_folder.checked_name("-".join([stem, f"d{config.model.latent_dim}", *settings]))


def _setting_text(leaf: Leaf, config: RunConfig) -> str:
    value = leaf.value(config)
    if leaf.name == "seed":
        return f"seed{value}"
    return f"{leaf.name.replace('_', '-')}={_value_text(value)}"


def _value_text(value: object) -> str:
    """Returns the value as text that is allowed in the name of a folder."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
