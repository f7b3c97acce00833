"""Exporting runs and opening archives."""
