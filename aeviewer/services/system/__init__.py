"""The operating system: child processes, the log."""
