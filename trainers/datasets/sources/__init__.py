"""Images as they lie on a person's disk: one kind of place a module."""

from trainers.datasets.sources.base import Source
from trainers.datasets.sources.finding import found

__all__ = ["Source", "found"]
