"""Configuring, starting and stopping training runs."""
