"""Widgets that show images, in one size or many."""
