"""Exploring a latent space: planes, paths, densities, directions. Mostly without torch."""
