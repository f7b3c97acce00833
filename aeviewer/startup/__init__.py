"""What happens around the start of the program: system check, libraries, signals, errors."""
