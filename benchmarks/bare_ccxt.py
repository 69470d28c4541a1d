"""A child: the least program that follows the same market, a bare `watch` loop of ccxt.pro.

Arguments: ccxt's settings (JSON) and the symbols. It says when its imports were done and when the
first news was there (monotonic seconds), and watches until SIGTERM.
"""

import asyncio
import signal
import sys
import time
from typing import Any

import ccxt.pro
import orjson
import uvloop


def main() -> None:
    """Watch until SIGTERM."""
    _say({"imported_s": time.monotonic()})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch(orjson.loads(sys.argv[1]), sys.argv[2].split(",")))


async def _watch(options: dict[str, Any], symbols: list[str]) -> None:
    exchange = ccxt.pro.binance(options)
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = [[symbol, "1m"] for symbol in symbols]
    try:
        await exchange.watch_ohlcv_for_symbols(wanted)
        _say({"ready_s": time.monotonic()})
        while True:
            await exchange.watch_ohlcv_for_symbols(wanted)
    except asyncio.CancelledError:
        await exchange.close()


def _say(told: dict[str, float]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
