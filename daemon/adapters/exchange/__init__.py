"""Exchanges through ccxt, the only place that knows it."""
