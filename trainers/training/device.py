"""The choice of the device that trains, and messages for its failures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from trainers.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.config_types import Device


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed")
_LOST = ("cuda error", "hip error", "cudnn_status", "cublas_status", "device-side assert")


def choose_device(name: Device) -> torch.device:
    """Returns the device called `name`; "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    DeviceError
        When this computer does not have it; the message lists the devices that it has.
    """
    present = available_devices()
    if name == "auto":
        return torch.device(present[0])
    if name not in present:
        raise DeviceError(
            f"There is no {name} device here; choose auto or one of {', '.join(present)}."
        )
    return torch.device(name)


def available_devices() -> tuple[str, ...]:
    """Returns the names of this computer's devices, the fastest first."""
    cuda = ("cuda",) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


@contextmanager
def guard(device: torch.device) -> Iterator[None]:
    """Turns the errors of a device that is out of memory or has failed into one message.

    Raises
    ------
    DeviceError
        With the name of the device and what to do.
    """
    try:
        yield
    except RuntimeError as error:
        message = str(error).lower()
        if any(sign in message for sign in _OUT_OF_MEMORY):
            other_device = "" if device.type == "cpu" else "the CPU as device, "
            raise DeviceError(
                f"{device} does not have enough memory for this model and batch. "
                f"Choose {other_device}a smaller batch or smaller layers."
            ) from error
        if isinstance(error, torch.AcceleratorError) or any(sign in message for sign in _LOST):
            raise DeviceError(
                f"{device} does not answer any more ({str(error).splitlines()[0]}). The run is "
                "saved up to its resume point: restart the program and continue the run."
            ) from error
        raise
