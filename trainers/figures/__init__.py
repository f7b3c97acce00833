"""Figures, image sheets and films as files. Imports no torch."""
