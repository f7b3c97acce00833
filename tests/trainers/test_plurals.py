from __future__ import annotations

import pytest

from trainers.plurals import count_of


@pytest.mark.parametrize(
    ("number", "noun", "plural", "text"),
    [
        (0, "image", "", "0 images"),
        (1, "class", "classes", "1 class"),
        (2, "class", "classes", "2 classes"),
        (12_000, "run", "", "12,000 runs"),
    ],
)
def test_a_number_has_its_noun_in_the_right_form(
    number: int, noun: str, plural: str, text: str
) -> None:
    assert count_of(number, noun, plural) == text
