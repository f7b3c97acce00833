"""What a person does with the window, by chance."""

from tests.reliability.acts import arranging, carrying, exploring, training
from tests.reliability.acts.person import ACTS, Act, Person, Wait

__all__ = ["ACTS", "Act", "Person", "Wait", "arranging", "carrying", "exploring", "training"]
