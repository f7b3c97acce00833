"""The acts of the soak test: what a simulated user does with the window, at random."""

from tests.reliability.acts import files, latent_space, training, window_layout
from tests.reliability.acts.person import ACTS, Act, Person, Wait

__all__ = ["ACTS", "Act", "Person", "Wait", "files", "latent_space", "training", "window_layout"]
