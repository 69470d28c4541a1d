"""Kills the daemon at every system call that touches its state, and at random; counts the damage.

    python -m tests.crash [--points all|N] [--random N] [--seed S] [--jobs J] [--mutant NAME]

It ends with 1 where anything was violated, or nothing was killed. The folders stay then.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from tests.crash.campaign import Campaign, Tally, squad
from tests.crash.mutants import MUTANTS
from tests.crash.receiver import Receiver
from tests.crash.system_calls import missing_to_watch

VIOLATIONS_SHOWN = 20


def main() -> int:
    """Run what the arguments ask for; return the exit code."""
    asked = _arguments()
    started_s = time.perf_counter()
    folder = Path(mkdtemp(prefix="tickd-crash-"))
    missing = missing_to_watch()
    campaign = Campaign(folder=folder, seed=asked.seed, mutant=asked.mutant)
    points = Tally()
    with squad(asked.jobs, folder) as helpers:
        if missing is None:
            with Receiver(folder / "received").running() as receiver:
                total = campaign.count_points(receiver)
            chosen = _chosen(asked.points, total)
            points = helpers.kill_at(campaign, chosen)
            _print_points(points, len(chosen), total)
        else:
            print(f"no kills at system calls: {missing}")
        at_random = helpers.kill_at_random(campaign, asked.random)
    print(f"random:      {at_random.kills} kills of {asked.random}")
    return _end(points, at_random, folder, time.perf_counter() - started_s)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--points", default="all", help="how many calls to kill at (default: all)")
    parser.add_argument("--random", type=int, default=200, help="how many random kills")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random")
    parser.add_argument("--jobs", type=int, default=4, help="how many trials at a time")
    parser.add_argument("--mutant", default="", choices=["", *MUTANTS], help="plant this bug")
    return parser.parse_args()


def _chosen(asked: str, total: int) -> list[int]:
    count = total if asked == "all" else min(int(asked), total)
    # Spread evenly, both ends included.
    return sorted({1 + place * (total - 1) // max(count - 1, 1) for place in range(count)})


def _print_points(points: Tally, asked: int, total: int) -> None:
    print(f"points:      {points.points} system calls killed at, of {total} in an unharmed run")
    if missed := asked - points.points:
        print(f"             {missed} were not reached: runs differ by a few calls")
    for name, hits in points.hits.most_common():
        print(f"             {hits:5d} {name}")
    print(f"             and {points.kills - points.points} kills in the start that came next")


def _end(points: Tally, at_random: Tally, folder: Path, took_s: float) -> int:
    told = points.told + at_random.told
    kills = points.kills + at_random.kills
    violations = points.violations + at_random.violations
    events = ", ".join(f"{count} {name}" for name, count in told.most_common())
    print(f"arrived:     {events}")
    for violation in violations[:VIOLATIONS_SHOWN]:
        print(f"VIOLATION    {violation}")
    print(f"kills:       {kills}, each followed by a look into the folder and another start")
    print(f"violations:  {len(violations)}")
    print(f"took:        {took_s:.0f} s")
    if violations:
        print(f"the folders are kept in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if violations or kills == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
