"""Example strategies: copy one and change it."""
