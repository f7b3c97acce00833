from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import torch

from trainers.parallel import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def thread_count() -> Iterator[None]:
    """Restores torch's number of threads, which every training sets."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def threads() -> Workers:
    """Workers that are threads of this process, so that they start at once."""
    return Workers(lambda: ThreadPoolExecutor(2), 2)
