"""The messages for values of a config that are out of bounds. This module loads no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

_MOST_FAULTS, _MOST_LETTERS = 10, 80


def faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yields each fault as (field name, one sentence that names the value and the bound).

    Long values are shortened in the message, and of many problems the first ones are named.
    """
    for fault in error.errors(include_url=False)[:_MOST_FAULTS]:
        names = [str(part) for part in fault["loc"] if isinstance(part, str)]
        name = names[-1][:_MOST_LETTERS] if names else "config"
        if fault["type"] == "tuple_type":
            yield (
                name,
                f"{_value_text(fault['input'])} should be whole numbers with commas between.",
            )
            continue
        if fault["type"] in {"too_short", "too_long"}:
            context = fault["ctx"]
            least, most = context.get("min_length"), context.get("max_length")
            bound = f"at least {least}" if most is None else f"at most {most}"
            yield name, f"{context['actual_length']} values are given; there must be {bound}."
            continue
        text = _short(fault["msg"].removeprefix("Value error, ").removeprefix("Input "), 4)
        stands_alone = fault["type"] in {"missing", "value_error"}
        given = "" if stands_alone else f"{_value_text(fault['input'])}: it "
        yield name, f"{given}{text[0].lower() if given else text[0]}{text[1:]}"


def _value_text(value: object) -> str:
    return _short(repr(value))


def _short(text: str, times: int = 1) -> str:
    return text if len(text) <= times * _MOST_LETTERS else f"{text[: times * _MOST_LETTERS]}…"
