"""The evaluation of trained models: one question per module."""
