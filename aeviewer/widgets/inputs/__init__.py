"""Widgets with which a person enters values."""
