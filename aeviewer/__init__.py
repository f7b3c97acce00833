"""AE Viewer: the desktop program."""
