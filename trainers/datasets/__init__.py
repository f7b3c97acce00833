"""Images to learn from. Loads neither torch nor torchvision."""

from trainers.datasets.mnist import PREVIEW_DIGITS, Split, split

__all__ = ["PREVIEW_DIGITS", "Split", "split"]
