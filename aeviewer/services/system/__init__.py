"""What the program asks of the operating system: child processes, the log, the trash."""
