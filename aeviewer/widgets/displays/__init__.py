"""Widgets that display values and texts, and what exports them as pictures."""
