"""Bench D: a year of one-minute candles, a strategy asked every 15 minutes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.spent import Spent, in_turn, load_note, spent

BENCH = "D"
TITLE = "A year of history: crossing averages, asked every 15 minutes"
CHILD = ("-m", "benchmarks.history_child")
YEAR_MINUTES = 525_600
REFERENCE = "a plain Python loop over the same file that looks at every minute, without any rule"
RUN_S_MAX = 0.25
WHOLE_S_MAX = 0.9
MIB_MAX = 150.0
PEERS = (
    "other programs on the same work, CPU seconds of the run alone / of the process / MiB:",
    "vectorbt 1.2 0.15 / 11.0 / 429; freqtrade 2026.9 25 / 31 / 524; jesse 5.9 / 9.1 / 354;",
    "backtesting.py 5.9 / 7.4 / 187; nautilus_trader 30 / 35 / 566; backtest-kit 58 / 59 / 622",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many minutes, and how often each process runs."""

    minutes: int = YEAR_MINUTES
    times: int = 5
    has_targets: bool = True


QUICK = Size(minutes=20_000, times=1, has_targets=False)


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench D; return its figures and what must be known to read them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "candles.parquet"
        make_market(size.minutes, file)
        command = ("-m", "daemon", "backtest", "benchmarks.sma_cross:SmaCross")
        options = ("--symbol", "BTC/USDT", "--data", str(file))
        works: list[Callable[[], Spent]] = [
            partial(spent, (*CHILD, "year", str(file))),
            partial(spent, ("-m", "benchmarks.plain_loop", str(file))),
            partial(spent, (*command, *options), Path(folder)),
        ]
        runs = in_turn(works, size.times)
    return _figures(runs, size), _notes(runs)


def make_market(minute_count: int, file: Path) -> None:
    """Write a market to `file`.

    By a child: what this process has in memory when it starts another one is counted for that.
    """
    spent((*CHILD, "market", str(minute_count), str(file)))


def _figures(runs: Sequence[Sequence[Spent]], size: Size) -> list[Figure]:
    year, loop, command = runs

    def figure(name: str, measured: float, reference: float, unit: str, most: float) -> Figure:
        return Figure(
            bench=BENCH,
            name=name,
            value=measured,
            unit=unit,
            target=most if size.has_targets else None,
            reference=reference,
            reference_name=REFERENCE,
        )

    loop_s, loop_mib = least_cpu_s(loop), most_mib(loop)
    return [
        figure("run alone", _run_s(year), _run_s(loop), "s", RUN_S_MAX),
        figure("whole process, as a library", least_cpu_s(year), loop_s, "s", WHOLE_S_MAX),
        figure("memory, as a library", most_mib(year), loop_mib, "MiB", MIB_MAX),
        figure("whole process, tickd backtest", least_cpu_s(command), loop_s, "s", WHOLE_S_MAX),
        figure("memory, tickd backtest", most_mib(command), loop_mib, "MiB", MIB_MAX),
    ]


def _run_s(runs: Sequence[Spent]) -> float:
    return min(float(run.told["run_s"]) for run in runs)


def least_cpu_s(runs: Sequence[Spent]) -> float:
    """Return the CPU seconds of the run that other work disturbed least."""
    return min(run.cpu_s for run in runs)


def most_mib(runs: Sequence[Spent]) -> float:
    """Return the most memory that any of `runs` took."""
    return max(run.rss_mib for run in runs)


def _notes(runs: Sequence[Sequence[Spent]]) -> list[str]:
    told = runs[0][0].told
    return [
        f"{told['asks']:,} questions, {told['trades']:,} positions; {len(runs[0])} runs, in turn",
        load_note(),
        *PEERS,
    ]
