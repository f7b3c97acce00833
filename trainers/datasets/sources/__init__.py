"""Images as they lie on a person's disk: one kind of place a module."""

from trainers.datasets.sources.detect import detect_source
from trainers.datasets.sources.source import Source

__all__ = ["Source", "detect_source"]
