"""Exporters, one kind per module; `exporters.EXPORTERS` lists them all."""
