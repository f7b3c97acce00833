"""Which device trains, and what is said when it cannot."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from trainers.errors import DeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainers.config import Device


_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed")
_LOST = ("cuda error", "hip error", "cudnn_status", "cublas_status", "device-side assert")


def choose(name: Device) -> torch.device:
    """The device called `name`; "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    DeviceError
        When it is not there; the message says which are.
    """
    present = available()
    if name == "auto":
        return torch.device(present[0])
    if name not in present:
        raise DeviceError(
            f"There is no {name} device here; choose auto or one of {', '.join(present)}."
        )
    return torch.device(name)


def available() -> tuple[str, ...]:
    """The devices that are here, the fastest first."""
    cuda = ("cuda",) if torch.cuda.is_available() else ()
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


@contextmanager
def guard(device: torch.device) -> Iterator[None]:
    """Turns a device's running out of memory, or its loss, into one message.

    Raises
    ------
    DeviceError
        Naming the device and what to do.
    """
    try:
        yield
    except RuntimeError as error:
        told = str(error).lower()
        if any(sign in told for sign in _OUT_OF_MEMORY):
            elsewhere = "" if device.type == "cpu" else "the CPU as device, "
            raise DeviceError(
                f"{device} has not enough memory for this model and batch. "
                f"Choose {elsewhere}a smaller batch or smaller layers."
            ) from error
        if isinstance(error, torch.AcceleratorError) or any(sign in told for sign in _LOST):
            raise DeviceError(
                f"{device} does not answer any more ({str(error).splitlines()[0]}). What was "
                "learnt until the resume point is kept: start the program anew, and go on with "
                "the run."
            ) from error
        raise
