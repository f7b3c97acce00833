"""QObjects without widgets: what the panels watch, and the one thread that owns torch."""
