"""`python -m benchmarks`: what the daemon costs, beside its targets and plain references."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console

from benchmarks import growth, history, start, tasks, walks, wire
from benchmarks.figures import Figure, plain, render, summary

Measured = tuple[list[Figure], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One bench: its title, and how to run it whole and in its smallest size."""

    title: str
    whole: Callable[[], Measured]
    quick: Callable[[], Measured]


BENCHES = {
    "A": Bench(
        title="A. The daemon on a live market over WebSocket",
        whole=lambda: wire.measure(wire.Size()),
        quick=lambda: wire.measure(wire.QUICK),
    ),
    "B": Bench(
        title="B. Many tasks in one process, on the in-memory exchange",
        whole=lambda: tasks.measure(tasks.Size()),
        quick=lambda: tasks.measure(tasks.QUICK),
    ),
    "C": Bench(
        title="C. A start with many saved signals",
        whole=lambda: start.measure(start.Size()),
        quick=lambda: start.measure(start.QUICK),
    ),
    "D": Bench(
        title="D. A year of history: crossing averages, asked every 15 minutes",
        whole=lambda: history.measure(history.Size()),
        quick=lambda: history.measure(history.QUICK),
    ),
    "E": Bench(
        title="E. How the cost of history grows",
        whole=lambda: growth.measure(growth.Size()),
        quick=lambda: growth.measure(growth.QUICK),
    ),
    "F": Bench(
        title="F. A comparison of parameters on one core and on two",
        whole=lambda: walks.measure(walks.Size()),
        quick=lambda: walks.measure(walks.QUICK),
    ),
}


def main() -> int:
    """Run the benches that are asked for; return the exit code."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 120)
    figures: list[Figure] = []
    for name in options.only:
        bench = BENCHES[name]
        found, notes = bench.quick() if options.quick else bench.whole()
        render(console, bench.title, found, notes)
        figures += found
    console.print(summary(figures))
    if options.json is not None:
        options.json.write_bytes(orjson.dumps(plain(figures), option=orjson.OPT_INDENT_2))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        type=_names,
        default=list(BENCHES),
        metavar="A,B,...",
        help=f"run these of {','.join(BENCHES)}",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="the smallest size: it all runs, and measures little",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.upper().split(",")
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no bench {', '.join(unknown)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
