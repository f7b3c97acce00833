"""Several runs at once, each in a process of its own, here or on a cluster. Loads no torch.

`Pool` trains jobs by any `concurrent.futures.Executor`; `processes` and `cluster` make one. What
a worker does is told by its run's folder alone, as with any run, and its lease says whether it is
still wanted.
"""

from trainers.parallel.executors import Workers, cluster_workers, process_workers
from trainers.parallel.follower import CheckpointFound, Follower
from trainers.parallel.jobs import Job, SweepProgress, cost, refuse_other_config
from trainers.parallel.pool import Ending, Pool
from trainers.parallel.train_all import train_all

__all__ = [
    "CheckpointFound",
    "Ending",
    "Follower",
    "Job",
    "Pool",
    "SweepProgress",
    "Workers",
    "cluster_workers",
    "cost",
    "process_workers",
    "refuse_other_config",
    "train_all",
]
