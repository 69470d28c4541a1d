"""Real time: market feed, runners, recovery, supervision and the fan-out of events."""
