"""The description of a config field: its label, unit, bounds and choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


def _always(_config: object) -> bool:
    return True


@dataclass(frozen=True)
class Term:
    """The label of a field and when the field applies.

    Attributes
    ----------
    label
        The name beside the field, in the field's standard terms.
    unit
        The unit of a value; empty for a pure number or a choice.
    applies
        Returns whether the field has an effect in a given `RunConfig`. The form hides a field
        that has none.
    advanced
        Whether the field is rarely changed; the form puts it into a folded group.
    logarithmic
        Whether the form changes values by factors instead of differences.
    """

    label: str
    unit: str = ""
    applies: Callable[[Any], bool] = _always
    advanced: bool = False
    logarithmic: bool = False


@dataclass(frozen=True)
class Leaf:
    """One field of a config: `config.<part>.<name>`."""

    part: str
    name: str
    info: FieldInfo
    term: Term

    def value(self, config: BaseModel) -> Any:
        """Returns the value of this field in a `RunConfig`."""
        return getattr(getattr(config, self.part) if self.part else config, self.name)

    @property
    def default(self) -> Any:
        """The value when none is given."""
        return self.info.default

    def bound(self, name: Literal["ge", "gt", "le", "lt"]) -> float | None:
        """Returns the bound of that kind; None if the field has none."""
        found = (getattr(rule, name, None) for rule in self.info.metadata)
        return next((bound for bound in found if bound is not None), None)

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values; empty if every value within the bounds is allowed."""
        if self.name == "family":
            from trainers.models import families

            return families()
        if self.name == "dataset":
            from trainers.datasets import dataset_names

            return dataset_names()
        return tuple(c for c in get_args(self.info.annotation) if isinstance(c, str))
