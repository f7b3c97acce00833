"""Every combination of values of some settings, as configs with telling names."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from trainers.config import RunConfig, fields
from trainers.runs import runs_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainers.config import Leaf


class Combination(NamedTuple):
    """One point of a sweep: what its run is called, and its config."""

    name: str
    config: RunConfig


def combinations(
    base: RunConfig, values: Mapping[str, Sequence[object]], stem: str
) -> tuple[Combination, ...]:
    """Every combination, the last setting changing fastest; those that train the same but once.

    Parameters
    ----------
    base
        Decides the other settings.
    values
        Of each setting, by the name that `trainers.config.fields` gives it.
    stem
        What every name begins with.

    Raises
    ------
    ConfigError
        When a value is out of bounds.
    RunError
        When no run can be called so.
    """
    found: dict[tuple[object, ...], Combination] = {}
    for chosen in product(*values.values()):
        config = base.replace(**dict(zip(values, chosen, strict=True)))
        meant = tuple(leaf.value(config) for leaf in fields() if leaf.term.applies(config))
        found.setdefault(meant, Combination(_combination_name(stem, config, values), config))
    return tuple(found.values())


def _combination_name(stem: str, config: RunConfig, values: Mapping[str, Sequence[object]]) -> str:
    """Such as elu-d5-activation=relu-seed1: the dimension, then the settings that vary."""
    told = [
        _setting_text(leaf, config)
        for leaf in fields()
        if len(values.get(leaf.name, ())) > 1
        and leaf.name != "latent_dim"
        and leaf.term.applies(config)
    ]
    return runs_folder.checked_name("-".join([stem, f"d{config.model.latent_dim}", *told]))


def _setting_text(leaf: Leaf, config: RunConfig) -> str:
    value = leaf.value(config)
    if leaf.name == "seed":
        return f"seed{value}"
    return f"{leaf.name.replace('_', '-')}={_value_text(value)}"


def _value_text(value: object) -> str:
    """A value in letters that a folder may be called by."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "+".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
