"""Candles on disk: a store of one-minute candles in Parquet, and the files that people bring."""
