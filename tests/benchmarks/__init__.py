"""Benchmarks; each module says how to run it."""

import trainers  # noqa: F401  before torch, which reads the threads' settings at import
