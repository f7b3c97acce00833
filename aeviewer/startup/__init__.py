"""The start of the program: system check, libraries, Unix signals, capture of problems."""
