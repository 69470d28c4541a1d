"""A child of bench F: compares pairs of averages on so many cores, and says what that took."""

import asyncio
import resource
import sys
import time
from hashlib import sha256
from pathlib import Path

import orjson

from benchmarks.sma_cross import SmaCross
from daemon import Frame, Walker, WalkerSchema, add_frame, add_strategy, add_walker, variants
from daemon.app.candle_files import read_minutes
from daemon.app.history import add_history
from daemon.app.walker_run import walker_json

SYMBOL = "BTC/USDT"
FAST = (5, 10, 15, 20)
SLOW = (30, 40, 50, 60, 80, 100)


def run(file: str, cores: str, pairs: str) -> dict[str, float | str]:
    """Compare the first so many pairs."""
    minutes = add_history(SYMBOL, read_minutes(Path(file)))
    start_ms, end_ms = minutes.start_ms, minutes.end_ms
    add_frame(Frame(frame_name="whole", interval="1m", start_ms=start_ms, end_ms=end_ms))
    add_strategy(SmaCross)
    chosen = variants("sma_cross", fast=FAST, slow=SLOW)[: int(pairs)]
    add_walker(WalkerSchema(walker_name="walk", frame_name="whole", strategies=chosen))
    began_s, used_s = time.monotonic(), _used_s()
    asyncio.run(_walk(int(cores)))
    wall_s, cpu_s = time.monotonic() - began_s, _used_s() - used_s
    record = walker_json(Walker.get_result(SYMBOL, "walk"))
    return {"wall_s": wall_s, "cpu_s": cpu_s, "digest": sha256(record.encode()).hexdigest()}


def _used_s() -> float:
    """Return the CPU time of this process and of those that it started and that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


async def _walk(cores: int) -> None:
    async for _ in Walker.run(SYMBOL, walker_name="walk", cores=cores):
        pass


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(run(*sys.argv[1:])) + b"\n")
