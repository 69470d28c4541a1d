"""Bench E: how the cost of a run grows with the candles, and with the signals."""

import math
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.history import CHILD, YEAR_MINUTES
from benchmarks.spent import Spent, load_note, spent

BENCH = "E"
TITLE = "How the cost of history grows"
GROWTH_MAX = 1.25
"""A year of the longest run costs at most so many times a year of the shortest."""
OWN_MIB_MAX = 8.0
"""So much memory a run may take beside its candles, however long it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many years; how long is run for signals, which come at every so many questions.

    A run of one year has its turn `times` times, longer ones fewer times.
    """

    years: tuple[float, ...] = (1, 10, 100)
    signal_years: tuple[float, ...] = (1, 10)
    every: tuple[int, ...] = (0, 32, 4)
    times: int = 3
    has_targets: bool = True


QUICK = Size(years=(0.02,), signal_years=(0.02,), every=(0, 4), times=1, has_targets=False)


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench E; return its figures and what must be known to read them."""
    lengths = _lengths(size)
    figures = [
        Figure(
            bench=BENCH,
            name=f"{years:g} years, a year of it",
            value=float(run.told["run_s"]) / years,
            unit="s",
            target=_most(lengths, size) if years == size.years[-1] else None,
        )
        for years, run in lengths.items()
    ]
    figures += [
        Figure(
            bench=BENCH,
            name=f"{years:g} years, memory beside the candles",
            value=float(run.told["own_mib"]),
            unit="MiB",
            target=OWN_MIB_MAX if size.has_targets else None,
        )
        for years, run in lengths.items()
    ]
    for years in size.signal_years:
        figures += _signal_figures(years, size)
    return figures, [
        "the run alone, on columns that are made in memory",
        f"a year of the longest run may cost {GROWTH_MAX:g} times a year of the shortest; of these",
        "the median, the shortest before and after each other: the machine is not always as quick",
        *(
            f"{years:g} years: {run.told['trades']:,} positions, {run.rss_mib:,.0f} MiB"
            for years, run in lengths.items()
        ),
        "candles: the columns, the price of each minute, and the wider candles that are declared",
        "a signal: what a run with many costs more than one without any, by their number",
        load_note(),
    ]


def _lengths(size: Size) -> dict[float, Spent]:
    """Return a typical run of each length."""
    shortest, *longer = size.years
    short, runs = _runs_of(size, shortest), {}
    for years in longer:
        runs[years] = _runs_of(size, years)
        short += _runs_of(size, shortest)
    return {years: _typical(some) for years, some in ((shortest, short), *runs.items())}


def _runs_of(size: Size, years: float) -> list[Spent]:
    return [spent((*CHILD, "years", _minutes(years))) for _ in range(_times(size, years))]


def _typical(runs: list[Spent]) -> Spent:
    return sorted(runs, key=_run_s)[len(runs) // 2]


def _most(lengths: dict[float, Spent], size: Size) -> float | None:
    if not size.has_targets:
        return None
    first = size.years[0]
    return float(lengths[first].told["run_s"]) / first * GROWTH_MAX


def _signal_figures(years: float, size: Size) -> list[Figure]:
    times = _times(size, years)
    none, *some = (_best(times, "signals", _minutes(years), str(every)) for every in size.every)
    return [
        Figure(
            bench=BENCH,
            name=f"{years:g} years, {run.told['trades']:,} signals: each",
            value=(float(run.told["run_s"]) - float(none.told["run_s"]))
            / max(1, int(run.told["trades"]))
            * 1e6,
            unit="us",
        )
        for run in some
    ]


def _minutes(years: float) -> str:
    return str(round(years * YEAR_MINUTES))


def _times(size: Size, years: float) -> int:
    return max(1, round(size.times / math.sqrt(max(1.0, years))))


def _best(times: int, *arguments: str) -> Spent:
    """Return the run that other work disturbed least."""
    runs = [spent((*CHILD, *arguments)) for _ in range(times)]
    return min(runs, key=_run_s)


def _run_s(run: Spent) -> float:
    return float(run.told["run_s"])
