"""Playing and filming the checkpoints of a run."""
