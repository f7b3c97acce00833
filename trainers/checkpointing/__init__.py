"""Weights and resume points as safetensors files."""
