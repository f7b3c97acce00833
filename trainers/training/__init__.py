"""Training: the loop, the optimiser, the engines, the device, and what a run's folder receives."""
