"""The checkpoints of the current run: choosing one, playing them, filming them."""
