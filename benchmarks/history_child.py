"""A child of the benches over history: does one thing, and says in a line of JSON what it cost.

What the whole process costs its parent sees from outside; `run_s` is its CPU time between the
moment at which the candles are in memory and the result.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from benchmarks.history_market import a_market, write_market
from benchmarks.sma_cross import Metronome, SmaCross
from daemon import Frame, Strategy
from daemon.app.candle_files import read_minutes
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.research.assignment import make
from daemon.research.backtest import Backtest
from daemon.research.columns import Minutes
from daemon.research.market import Markets
from daemon.research.plan import Job, Plan
from daemon.research.result import BacktestResult

SYMBOL = "BTC/USDT"


def whole(minutes: Minutes) -> Frame:
    """Return the frame of all `minutes`."""
    return Frame(
        frame_name="whole", interval="1m", start_ms=minutes.start_ms, end_ms=minutes.end_ms
    )


def make_market(count: str, file: str) -> dict[str, Any]:
    """Write a market of so many minutes to a file."""
    write_market(a_market(int(count)), Path(file))
    return {}


def run_year(file: str) -> dict[str, Any]:
    """Run the crossing averages over a file."""
    minutes = read_minutes(Path(file))
    return told_of(*timed(partial(backtest, minutes, SmaCross, {})))


def run_years(count: str) -> dict[str, Any]:
    """Run them over so many minutes that are made in memory.

    `own_mib` is how much more memory the run had at its peak than before it began, with candles,
    prices and wider candles in memory.
    """
    minutes, markets = a_market(int(count)), Markets()
    market_s, _ = timed(partial(_worked_out, markets, minutes))
    forget_peak()
    before_mib = memory_mib("VmRSS")
    run_s, result = timed(partial(backtest, minutes, SmaCross, {}, markets))
    own_mib = memory_mib("VmHWM") - before_mib
    return told_of(market_s + run_s, result) | {"own_mib": max(0.0, own_mib)}


def _worked_out(markets: Markets, minutes: Minutes) -> None:
    market = markets.of(minutes, Rules().avg_price_candles_count)
    market.tables(SmaCross.history)


def run_signals(count: str, every: str) -> dict[str, Any]:
    """Run a signal at every so many questions, over so many minutes."""
    minutes = a_market(int(count))
    return told_of(*timed(partial(backtest, minutes, Metronome, {"every": int(every)})))


def backtest(
    minutes: Minutes,
    strategy: type[Strategy],
    params: Mapping[str, object],
    markets: Markets | None = None,
) -> BacktestResult:
    """Return what a run over all `minutes` comes to."""
    key = Key(exchange_name="sandbox", symbol=SYMBOL, strategy_name=strategy.strategy_name)
    job = Job(key=key, make=partial(make, strategy, params), minutes=minutes)
    engine = Backtest(Plan(jobs=(job,), frame=whole(minutes)), markets=markets)
    asyncio.run(_drain(engine))
    return engine.result()


async def _drain(engine: Backtest) -> None:
    async for _ in engine.run():
        pass


def forget_peak() -> None:
    """Let the peak of this process's memory begin anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory_mib(field: str) -> float:
    """Return a figure of this process's memory in MiB: VmRSS is now, VmHWM the peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of `work`, and what it returned."""
    began_s = time.process_time()
    made = work()
    return time.process_time() - began_s, made


def told_of(run_s: float, result: BacktestResult) -> dict[str, Any]:
    """Return what is said of a run."""
    lane = result.lanes[0]
    return {"run_s": run_s, "trades": lane.opened_count, "asks": lane.ask_count}


WORKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "market": make_market,
    "year": run_year,
    "years": run_years,
    "signals": run_signals,
}


if __name__ == "__main__":
    told = WORKS[sys.argv[1]](*sys.argv[2:])
    told["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
