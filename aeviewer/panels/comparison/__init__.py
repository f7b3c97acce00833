"""The window that compares several runs."""
