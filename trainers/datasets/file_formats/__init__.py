"""Files that hold many images: one format a module. Loads no torch."""

# `detect_source` imports the formats, and the formats the sources: whichever of both is imported
# first, the sources are loaded before a format.
import trainers.datasets.sources  # noqa: F401
