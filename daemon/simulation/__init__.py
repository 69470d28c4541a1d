"""A world that production can run on: markets, faults, clocks and loops that obey a seed."""
