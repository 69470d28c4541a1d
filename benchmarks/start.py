"""Bench C: how long a start with many saved signals takes, from its imports to ready."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import HTTPError
from urllib.request import urlopen

from benchmarks.daemon_child import Outside, daemon, pages_of, wait_for_positions, write_config
from benchmarks.figures import Figure
from benchmarks.process import ChildError, child
from benchmarks.step_market import symbols_of

BENCH = "C"
TITLE = "A start with many saved signals"
READY_S_MAX = 2.0
LOOK_EVERY_S = 0.02
PATIENCE_S = 60.0
REFERENCE = "a bare ccxt.pro client of the same symbols, from its imports to its first news"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many signals are saved, and how often the daemon and the reference are started."""

    symbols: int = 50
    strategies: int = 10
    starts: int = 5
    bare_starts: int = 5
    has_targets: bool = True

    @property
    def signals(self) -> int:
        return self.symbols * self.strategies


QUICK = Size(symbols=2, strategies=1, starts=1, bare_starts=0, has_targets=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start: how long its imports took, and how long from then on until it was ready."""

    imports_s: float
    ready_s: float


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench C; return its figures and what must be known to read them."""
    symbols = symbols_of(size.symbols)
    strategies = [(f"wide-{number}", "Wide") for number in range(size.strategies)]
    with (
        TemporaryDirectory(prefix="tickd-bench-") as place,
        child("-m", "benchmarks.exchange", str(size.symbols)) as exchange,
    ):
        folder = Path(place)
        outside = Outside.of(exchange.hear())
        config = write_config(folder, outside, symbols, strategies)
        with daemon(config) as started:
            wait_for_positions(pages_of(started), size.signals)
        starts = [_start(config, size.signals) for _ in range(size.starts)]
        bare_s = [_bare_start(outside, symbols) for _ in range(size.bare_starts)]
    return _figures(starts, bare_s, size), [
        (
            f"{size.signals} signals in the state folder: {size.symbols} symbols, {size.strategies}"
            f" strategies on each; {size.starts} starts"
        ),
        (
            "ready: /readyz answers 200, so that every task is recovered, has ticked on a trusted"
            " price, and nothing is switched off"
        ),
    ]


def _start(config: Path, signals: int) -> Start:
    """Start the daemon on the saved signals, wait until it is ready, and stop it."""
    begun_s = time.monotonic()
    with daemon(config, runner=("-m", "benchmarks.start_child")) as started:
        imported_s = float(started.hear()["imported_s"])
        pages = pages_of(started)
        while not _is_ready(pages):
            if time.monotonic() > imported_s + PATIENCE_S:
                raise ChildError(f"the daemon was not ready in {PATIENCE_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        ready_s = time.monotonic() - imported_s
        while (told := started.hear()).get("event") != "recovered":
            pass
    if told["open_signals"] != signals:
        raise ChildError(f"{told['open_signals']} signals came back, of {signals}")
    return Start(imports_s=imported_s - begun_s, ready_s=ready_s)


def _is_ready(pages: str) -> bool:
    try:
        with urlopen(f"{pages}/readyz", timeout=5.0) as answer:
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
        return False


def _bare_start(outside: Outside, symbols: Sequence[str]) -> float:
    """Return how many seconds the bare client takes from its imports to its first news."""
    with child("-m", "benchmarks.bare_ccxt", outside.ccxt_json, ",".join(symbols)) as bare:
        imported_s = float(bare.hear()["imported_s"])
        return float(bare.hear()["ready_s"]) - imported_s


def _figures(starts: Sequence[Start], bare_s: Sequence[float], size: Size) -> list[Figure]:
    ready_s = [start.ready_s for start in starts]
    return [
        Figure(
            bench=BENCH,
            name="imports done to ready, slowest start",
            value=max(ready_s),
            unit="s",
            target=READY_S_MAX if size.has_targets else None,
            reference=max(bare_s) if bare_s else None,
            reference_name=REFERENCE,
        ),
        Figure(
            bench=BENCH,
            name="imports done to ready, median",
            value=median(ready_s),
            unit="s",
            reference=median(bare_s) if bare_s else None,
            reference_name=REFERENCE,
        ),
        Figure(
            bench=BENCH,
            name="process start to imports done, median",
            value=median(start.imports_s for start in starts),
            unit="s",
        ),
    ]
