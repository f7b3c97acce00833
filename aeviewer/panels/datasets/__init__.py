"""The Datasets menu, and the dialogs that import and download data sets."""
