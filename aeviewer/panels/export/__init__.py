"""Exporting runs and pictures, and opening archived runs."""
