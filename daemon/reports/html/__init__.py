"""One self-contained page per run: no network, no second file, readable on a phone."""
