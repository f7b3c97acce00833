"""The reproduction of the paper: its runs, its claims, and a report of the results."""
