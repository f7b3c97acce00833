"""The latent space of the current run, and the panels that describe a point in it."""
