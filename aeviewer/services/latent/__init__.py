"""What the latent panels show of the current run."""
