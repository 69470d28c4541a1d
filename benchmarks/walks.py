"""Bench F: parameter pairs compared over a year, on one core and on two."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.history import YEAR_MINUTES, least_cpu_s, make_market
from benchmarks.process import ChildError
from benchmarks.spent import Spent, in_turn, load_note, spent

BENCH = "F"
TITLE = "A comparison of parameters on one core and on two"
CPU_S_MAX = 3.6
"""What vectorbt takes for as many runs alone, 24 times 0.15: its whole process takes 11 for one."""
SPEED_UP_MIN = 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many minutes and pairs, and how often each number of cores has its turn."""

    minutes: int = YEAR_MINUTES
    pairs: int = 24
    times: int = 7
    has_targets: bool = True


QUICK = Size(minutes=20_000, pairs=2, times=1, has_targets=False)


def measure(size: Size) -> tuple[list[Figure], list[str]]:
    """Run bench F; return its figures and what must be known to read them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "candles.parquet"
        make_market(size.minutes, file)
        child = ("-m", "benchmarks.walk_child", str(file))
        works = [partial(spent, (*child, cores, str(size.pairs))) for cores in "12"]
        one, two = in_turn(works, size.times)
    digests = {run.told["digest"] for run in (*one, *two)}
    if len(digests) != 1:
        raise ChildError("the results differ from run to run")
    speed_up = _wall_s(one) / _wall_s(two)
    return _figures(one, two, size), [
        f"{size.pairs} pairs; the results of all runs are the same, byte for byte",
        f"speed-up on two cores: {speed_up:.2f} (at least {SPEED_UP_MIN:g}), which says something",
        "only where nothing else runs on the machine; times are the median of all runs",
        "in all: with the start of Python, its imports, the file and the report",
        load_note(),
    ]


def _figures(one: Sequence[Spent], two: Sequence[Spent], size: Size) -> list[Figure]:
    most_s = CPU_S_MAX if size.has_targets else None
    cpu_s = {
        "one core, CPU of the walk": _walk_cpu_s(one),
        "one core, CPU in all": least_cpu_s(one),
        "two cores, CPU of the walk": _walk_cpu_s(two),
        "two cores, CPU in all": least_cpu_s(two),
    }
    return [
        *(
            Figure(bench=BENCH, name=name, value=used, unit="s", target=most_s)
            for name, used in cpu_s.items()
        ),
        Figure(
            bench=BENCH,
            name="two cores, time",
            value=_wall_s(two),
            unit="s",
            target=_wall_s(one) / SPEED_UP_MIN if size.has_targets else None,
            reference=_wall_s(one),
            reference_name="the same walk on one core",
        ),
    ]


def _walk_cpu_s(runs: Sequence[Spent]) -> float:
    return min(float(run.told["cpu_s"]) for run in runs)


def _wall_s(runs: Sequence[Spent]) -> float:
    # Not the least: one core alone finds a quiet moment more often than two cores at once.
    return median(float(run.told["wall_s"]) for run in runs)
