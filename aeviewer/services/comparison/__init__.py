"""Several runs at one step, on the same test images."""
