"""The plain loop that runs over history are compared with: no rules, no events, every minute.

It does what the lines of any hand-made backtest do: it looks at each minute's high and low while a
position is open, and asks for two crossing averages each 15 minutes while none is.
"""

import json
import sys
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow.parquet

QUARTER = 15
FAST, SLOW = 10, 30
LIFE = 1440


def run_plain(high: Sequence[float], low: Sequence[float], close: Sequence[float]) -> int:
    """Return how many positions there were."""
    closes: list[float] = []
    count, side, opened_at = 0, 0, 0
    target = stop = 0.0
    for minute in range(len(close)):
        if minute % QUARTER == 0 and minute:
            closes.append(close[minute - 1])
            if not side and len(closes) > SLOW:
                side = _side(closes)
                if side:
                    price, opened_at, count = close[minute - 1], minute, count + 1
                    target, stop = price * (1 + 0.02 * side), price * (1 - 0.01 * side)
        if side > 0:
            if high[minute] >= target or low[minute] <= stop or minute - opened_at >= LIFE:
                side = 0
        elif side < 0 and (
            low[minute] <= target or high[minute] >= stop or minute - opened_at >= LIFE
        ):
            side = 0
    return count


def _side(closes: Sequence[float]) -> int:
    window = closes[-SLOW - 1 :]
    leads = [sum(part[-FAST:]) / FAST - sum(part) / SLOW for part in (window[:-1], window[1:])]
    for before, now in pairwise(leads):
        if before <= 0 < now:
            return 1
        if now < 0 <= before:
            return -1
    return 0


if __name__ == "__main__":
    with pyarrow.parquet.ParquetFile(sys.argv[1]) as file:
        table = file.read(use_threads=False)
    held = [table.column(name).combine_chunks() for name in ("high", "low", "close")]
    columns = [np.from_dlpack(column).tolist() for column in held]
    began_s = time.process_time()
    trades = run_plain(*columns)
    run_s = time.process_time() - began_s
    sys.stdout.write(json.dumps({"run_s": run_s, "trades": trades}) + "\n")
