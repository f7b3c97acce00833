"""The queue of training runs, in this process and in others."""
