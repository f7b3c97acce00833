"""How files are written so that a power cut takes nothing. Loads no torch."""
