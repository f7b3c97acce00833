"""The failures that a user can act on. Each message names the value, the bound and what to do."""

from __future__ import annotations


class AEViewerError(Exception):
    """Base class of all errors whose message is written for the user."""


class ConfigError(AEViewerError):
    """A setting is unknown or out of its bounds."""


class DataError(AEViewerError):
    """A data file is missing, damaged or not of the expected format."""


class RunError(AEViewerError):
    """A run folder cannot be read, written, created or resumed."""


class EngineError(AEViewerError):
    """The chosen engine cannot train the model on the device."""


class DeviceError(AEViewerError):
    """The chosen device is absent, or ran out of memory."""


class ClusterError(AEViewerError):
    """A cluster cannot be reached, or does not see the runs folder."""


class ExportError(AEViewerError):
    """A run cannot be exported, or an archive cannot be opened."""
