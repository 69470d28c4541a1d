"""Bench B: many tasks in one process, and how what they cost grows with their number."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, quantile
from benchmarks.process import child

BENCH = "B"
TITLE = "Many tasks in one process, on the in-memory exchange"
SETTLE_S = 4.0
REFERENCE = "as many asyncio tasks that only sleep and wake up once a second, on the same loop"
CORE_PERCENT_MAX = 15.0
LATE_MS_MAX = 50.0
KIB_A_TASK_MAX = 30.0

Crowd = tuple[int, int]
"""How many symbols, and how many strategies on each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is run, and for how long each is watched, in seconds."""

    crowds: tuple[Crowd, ...] = ((1, 10), (5, 10), (10, 10), (30, 10), (100, 10))
    growth_s: float = 15.0
    largest_s: float = 60.0
    has_targets: bool = True


QUICK = Size(crowds=((2, 2),), growth_s=0.5, largest_s=1.0, has_targets=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One child over the watched seconds."""

    tasks: int
    core_percent: float
    rss_mib: float
    late_ms: float
    late_median_ms: float
    ticks_per_task: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The daemon in all sizes, smallest first; beside the largest, what it is compared with.

    `sleepers_few` are as many as the tasks of the smallest size, None where there is one size.
    """

    growth: Sequence[Run]
    market: Run
    sleepers: Run
    sleepers_few: Run | None


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench B; return its figures and what must be known to read them."""
    few, many = size.crowds[0], size.crowds[-1]
    runs = Runs(
        growth=[
            *(_run("daemon", crowd, size.growth_s) for crowd in size.crowds[:-1]),
            _run("daemon", many, size.largest_s),
        ],
        market=_run("market", many, size.growth_s),
        sleepers=_run("sleepers", many, size.growth_s),
        sleepers_few=_run("sleepers", few, size.growth_s) if few != many else None,
    )
    return [*_figures(runs, has_targets=size.has_targets), *_growth(runs)], _notes(runs)


def _run(what: str, crowd: Crowd, seconds: float) -> Run:
    """Run one child and watch it from outside."""
    symbols, strategies = crowd
    with child("-m", "benchmarks.tasks_child", what, str(symbols), str(strategies)) as started:
        started.hear()
        time.sleep(min(SETTLE_S, seconds))
        started.begin()
        before = started.usage()
        time.sleep(seconds)
        after = started.usage()
        started.interrupt()
        told = started.hear()
    late_s = told["late_s"] or [0.0]
    count = symbols * strategies
    return Run(
        tasks=count,
        core_percent=after.core_percent(before),
        rss_mib=after.rss_mib,
        late_ms=quantile(late_s, 0.99) * 1000.0,
        late_median_ms=quantile(late_s, 0.5) * 1000.0,
        ticks_per_task=told["ticks"] / told["seconds"] / count,
    )


def _figures(runs: Runs, *, has_targets: bool) -> list[Figure]:
    many, sleepers = runs.growth[-1], runs.sleepers

    def figure(name: str, measured: tuple[float, str], target: float, reference: float) -> Figure:
        return Figure(
            bench=BENCH,
            name=f"{many.tasks} tasks: {name}",
            value=measured[0],
            unit=measured[1],
            target=target if has_targets else None,
            reference=reference,
            reference_name=REFERENCE,
        )

    figures = [
        figure(
            "share of a core", (many.core_percent, "%"), CORE_PERCENT_MAX, sleepers.core_percent
        ),
        figure("tick lateness, p99", (many.late_ms, "ms"), LATE_MS_MAX, sleepers.late_ms),
    ]
    if runs.sleepers_few is not None:
        kib = _kib_a_task(runs.growth[0], many)
        sleepers_kib = _kib_a_task(runs.sleepers_few, sleepers)
        figures.append(figure("memory a task", (kib, "KiB"), KIB_A_TASK_MAX, sleepers_kib))
    return figures


def _growth(runs: Runs) -> list[Figure]:
    """Return what each size cost, for information."""
    found = []
    for run in runs.growth:
        found += [
            Figure(
                bench=BENCH,
                name=f"{run.tasks} tasks: core",
                value=run.core_percent,
                unit="%",
            ),
            Figure(bench=BENCH, name=f"{run.tasks} tasks: memory", value=run.rss_mib, unit="MiB"),
        ]
    return found


def _kib_a_task(few: Run, many: Run) -> float:
    return (many.rss_mib - few.rss_mib) * 1024.0 / (many.tasks - few.tasks)


def _notes(runs: Runs) -> list[str]:
    many = runs.growth[-1]
    ticks = f"{many.ticks_per_task:.2f} ticks a task and second"
    return [
        f"{ticks}, median lateness {many.late_median_ms:.2f} ms; each task holds an open position",
        f"of the share: the in-memory exchange by itself {runs.market.core_percent:.1f} %",
        "memory a task: the whole growth from the smallest size to the largest, pairs included",
    ]
