"""Reusable widgets that know nothing of autoencoders. They take every colour from the palette."""
