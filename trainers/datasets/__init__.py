"""Images to learn from. Loads neither torch nor torchvision."""

from trainers.datasets.description import MNIST, Data, Dataset, Split
from trainers.datasets.mnist import PREVIEW_DIGITS, load_split
from trainers.datasets.store import dataset_named, dataset_names, open_dataset

__all__ = [
    "MNIST",
    "PREVIEW_DIGITS",
    "Data",
    "Dataset",
    "Split",
    "dataset_named",
    "dataset_names",
    "load_split",
    "open_dataset",
]
