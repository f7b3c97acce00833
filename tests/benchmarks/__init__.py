"""Measurements that anyone can run; each module says how."""

import trainers  # noqa: F401  before torch, which reads how threads wait when it is loaded
