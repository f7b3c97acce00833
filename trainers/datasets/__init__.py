"""Images to learn from. Loads neither torch nor torchvision."""

from trainers.datasets.mnist import PREVIEW_DIGITS, Dataset, Split, load

__all__ = ["PREVIEW_DIGITS", "Dataset", "Split", "load"]
