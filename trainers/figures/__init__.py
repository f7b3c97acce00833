"""Figures, image sheets and films as files. Loads no torch."""
