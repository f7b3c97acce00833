"""Data files of the program: MNIST, fonts, the demo run."""
