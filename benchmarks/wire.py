"""Bench A: the whole daemon on a live market over WebSocket, a position on every task."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from benchmarks.crossing import LONE_S, Crossing, alone, crossings_of, prices_of
from benchmarks.daemon_child import Outside, daemon, pages_of, wait_for_positions, write_config
from benchmarks.figures import Figure, quantile
from benchmarks.process import Child, Usage, child
from benchmarks.step_market import symbols_of

STRATEGIES = (("wide", "Wide"), ("wide-plain", "WidePlain"))
STEPS_A_SECOND = 10
STEP_PERCENT = 1.1
BURST_PERCENT = 4.0
BENCH = "A"
TITLE = "The daemon on a live market over WebSocket"
REFERENCE = "a bare watch_ohlcv_for_symbols loop of ccxt.pro on the same server, in the same minute"
CPU_S_MAX, MEMORY_MIB_MAX, REQUESTS_MAX, LATENCY_MS_MAX = 1.2, 140.0, 5.0, 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many symbols, and how long each part takes, in seconds."""

    symbols: int = 50
    settle_s: float = 25.0
    steady_s: float = 60.0
    steps_s: int = 40
    pause_s: float = 2.0
    has_targets: bool = True

    @property
    def positions(self) -> int:
        return self.symbols * len(STRATEGIES)


QUICK = Size(symbols=2, settle_s=0.0, steady_s=0.5, steps_s=0, pause_s=1.0, has_targets=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """What the quiet minute cost the daemon and the reference."""

    daemon: tuple[Usage, Usage]
    bare: tuple[Usage, Usage]
    requests: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """From a frame that crosses a level to the event: one frame at a time, and all at once."""

    single: Sequence[Crossing]
    burst: Sequence[Crossing]
    unexplained: int


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench A; return its figures and what must be known to read them."""
    symbols = symbols_of(size.symbols)
    with (
        TemporaryDirectory(prefix="tickd-bench-") as place,
        child("-m", "benchmarks.exchange", str(size.symbols)) as exchange,
    ):
        folder = Path(place)
        outside = Outside.of(exchange.hear())
        config = write_config(folder, outside, symbols, STRATEGIES)
        with daemon(config, folder / "heard.json") as started:
            steady = _steady(started, outside, symbols, size)
            _tape(exchange, folder / "unused.json")
            _step_one_by_one(exchange, symbols, size)
            burst_s = _burst(exchange, symbols, size.pause_s)
        sent = _tape(exchange, folder / "sent.json")
        heard = orjson.loads((folder / "heard.json").read_bytes())
    crossings, unexplained = crossings_of(prices_of(sent), heard)
    latencies = Latencies(
        single=alone([crossing for crossing in crossings if crossing.sent_s < burst_s]),
        burst=[crossing for crossing in crossings if crossing.sent_s >= burst_s],
        unexplained=unexplained,
    )
    return _figures(steady, latencies, has_targets=size.has_targets), _notes(size, latencies)


def _steady(started: Child, outside: Outside, symbols: Sequence[str], size: Size) -> Steady:
    """Watch the daemon and, beside it, a bare client, while nothing crosses a level."""
    arguments = ("-m", "benchmarks.bare_ccxt", outside.ccxt_json, ",".join(symbols))
    with child(*arguments) as bare:
        wait_for_positions(pages_of(started), size.positions)
        bare.hear()
        bare.hear()
        time.sleep(size.settle_s)
        requests = outside.requests()
        before = started.usage(), bare.usage()
        time.sleep(size.steady_s)
        after = started.usage(), bare.usage()
        requests = outside.requests() - requests
    return Steady(
        daemon=(before[0], after[0]),
        bare=(before[1], after[1]),
        requests=requests / size.steady_s * 60.0,
    )


def _step_one_by_one(exchange: Child, symbols: Sequence[str], size: Size) -> None:
    """Let a few pairs step up each second, pairs that are told of at different moments."""
    if not size.steps_s:
        return
    begin_ms = int(time.time() * 1000) + 2000
    at_once = min(STEPS_A_SECOND, len(symbols))
    # Neighbours by name are pushed a tenth of a second apart.
    steps = [
        (symbols[number % len(symbols)], begin_ms + number // at_once * 1000, STEP_PERCENT)
        for number in range(size.steps_s * at_once)
    ]
    _order(exchange, steps=steps)
    time.sleep(size.steps_s + 4.0)


def _burst(exchange: Child, symbols: Sequence[str], pause_s: float) -> float:
    """Let every pair step in the same instant; return when that began (monotonic seconds)."""
    _order(exchange, slots=1)
    time.sleep(pause_s)
    begun_s = time.monotonic()
    at_ms = int((time.time() + pause_s) * 1000)
    _order(exchange, steps=[(symbol, at_ms, BURST_PERCENT) for symbol in symbols])
    time.sleep(2.5 * pause_s)
    return begun_s


def _tape(exchange: Child, path: Path) -> list[list[Any]]:
    """Take the exchange's tape, which begins anew."""
    _order(exchange, tape=str(path))
    tape: list[list[Any]] = orjson.loads(path.read_bytes())
    return tape


def _order(exchange: Child, **order: object) -> None:
    exchange.tell(orjson.dumps(order).decode())
    exchange.hear()


def _figures(steady: Steady, latencies: Latencies, *, has_targets: bool) -> list[Figure]:
    before, after = steady.daemon
    bare_before, bare_after = steady.bare
    figures = [
        Figure(
            bench=BENCH,
            name="CPU, user and system, all threads",
            value=after.cpu_s_per_minute(before),
            unit="s/min",
            target=CPU_S_MAX if has_targets else None,
            reference=bare_after.cpu_s_per_minute(bare_before),
            reference_name=REFERENCE,
        ),
        Figure(
            bench=BENCH,
            name="resident memory",
            value=after.rss_mib,
            unit="MiB",
            target=MEMORY_MIB_MAX if has_targets else None,
            reference=bare_after.rss_mib,
            reference_name=REFERENCE,
        ),
        Figure(
            bench=BENCH,
            name="REST requests",
            value=steady.requests,
            unit="/min",
            target=REQUESTS_MAX if has_targets else None,
        ),
    ]
    single = [crossing.latency_ms for crossing in latencies.single]
    burst = [crossing.latency_ms for crossing in latencies.burst]
    if single:
        figures += _latency("one at a time", single, LATENCY_MS_MAX if has_targets else None)
    if burst:
        figures += _latency("all positions at once", burst, None)
    return figures


def _latency(name: str, values_ms: Sequence[float], target: float | None) -> list[Figure]:
    return [
        Figure(
            bench=BENCH,
            name=f"crossing to event, {name}, {part}",
            value=value,
            unit="ms",
            target=target if part == "p99" else None,
        )
        for part, value in (
            ("p99", quantile(values_ms, 0.99)),
            ("median", quantile(values_ms, 0.5)),
            ("slowest", max(values_ms)),
        )
    ]


def _notes(size: Size, latencies: Latencies) -> list[str]:
    return [
        f"{size.symbols} symbols, {size.positions} open positions, one update a second each, ccxt",
        "latency: from the exchange's handing a frame to its socket until a listener hears the",
        "  event, both durable writes included; one at a time is by frames that come alone within",
        f"  {LONE_S} s: {len(latencies.single)} crossings; {len(latencies.burst)} in the burst",
        f"  events that no frame explains: {latencies.unexplained}",
        "peers, measured elsewhere: freqtrade 6.75 s/min, 340 MiB, 600 requests, 2.0 to 2.6 s;",
        "  backtest-kit 0.56 s/min, 155 MiB, 48 requests, 5 to 140 s",
    ]
