"""Candles on disk: a store of one-minute candles in Parquet, and the files that people bring."""

import os

# The pool of memory that pyarrow takes by itself keeps what it once had: a year of candles would
# cost twice its size. It is asked for when pyarrow is first imported, which is below here.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
