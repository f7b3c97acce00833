"""Importing and downloading data sets."""
