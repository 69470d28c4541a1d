"""`python -m benchmarks`: what the daemon costs, beside its targets and plain references."""

import argparse
import sys
from pathlib import Path

import orjson
from rich.console import Console

from benchmarks import growth, history, start, tasks, walks, wire
from benchmarks.figures import Figure, plain, render, summary
from benchmarks.interpreter import interpreter_note

BENCHES = {bench.BENCH: bench for bench in (wire, tasks, start, history, growth, walks)}
"""By their letters. Each has a TITLE, a Size, its smallest as QUICK, and `measure(size)`."""


def main() -> int:
    """Run the benches that are asked for; return the exit code."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 120)
    figures: list[Figure] = []
    for name in options.only:
        bench = BENCHES[name]
        found, notes = bench.measure(bench.QUICK if options.quick else bench.Size())
        render(console, f"{bench.BENCH}. {bench.TITLE}", found, notes)
        figures += found
    console.print(interpreter_note())
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
