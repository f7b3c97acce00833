"""Fitting a model: the loop, its data, its checkpoints, its device."""
