"""Walking through a latent space: planes, paths, layers, layouts. Mostly torch-free."""
