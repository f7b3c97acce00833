"""Which runs exist, which one is current, and their loss curves."""
