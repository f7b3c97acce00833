"""Plots of curves and of points in a plane."""
