"""Training of several runs at once, each in its own process, on this machine or on a cluster.

`Pool` trains jobs with any `concurrent.futures.Executor`; `process_workers` and `cluster_workers`
describe the two kinds. A worker reports only through the files in its run's folder. A lease in the
same folder tells the worker whether to continue. Imports no torch.
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
