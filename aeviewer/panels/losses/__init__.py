"""The loss curves of the visible runs."""
