"""Does every fault that an alert is for to a real daemon, and waits until the alert fires.

    python -m tests.alerts [--jobs N] [--only NAME ...] [--keep]

A real Prometheus scrapes the daemons with the shipped rules, their times divided by sixty (see
`shortened.py`); one alert is followed through a real Alertmanager to a webhook. It ends with 1
where an alert did not fire.
"""

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from tests.alerts.scenarios import SCENARIOS, Scenario, is_possible
from tests.alerts.shortened import FACTOR, SCRAPE_S
from tests.alerts.stage import Stage
from tests.alerts.watch import Watch, missing_programs, watching

FINAL_S_MAX = 60.0


def main() -> int:
    """Run what the arguments ask for; return the exit code."""
    asked = _arguments()
    if missing := missing_programs():
        print(f"not installed: {', '.join(missing)} (Debian has them under these names)")
        return 1
    started_s = time.perf_counter()
    folder = Path(mkdtemp(prefix="tickd-alerts-"))
    chosen = [one for one in SCENARIOS if not asked.only or one.name in asked.only]
    print(f"the shipped rules, times divided by {FACTOR}, scraped every {SCRAPE_S} s")
    with watching(folder) as watch, ThreadPoolExecutor(asked.jobs) as pool:
        stages = list(pool.map(lambda one: _play(one, folder, watch), chosen))
        failures = _end(watch)
    failures += sum(_failures(stage) for stage in stages)
    print(f"{failures} failures in {time.perf_counter() - started_s:.0f} s")
    if not failures and not asked.keep:
        shutil.rmtree(folder)
    else:
        print(f"everything is kept in {folder}")
    return 1 if failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make check-alerts", description=__doc__)
    parser.add_argument("--jobs", type=int, default=4, help="how many daemons at a time")
    parser.add_argument("--only", nargs="*", default=[], help="these scenarios alone")
    parser.add_argument("--keep", action="store_true", help="keep the folders")
    return parser.parse_args()


def _play(scenario: Scenario, folder: Path, watch: Watch) -> Stage:
    stage = Stage(scenario.name, folder / scenario.name, watch)
    if not is_possible(scenario):
        stage.notes.append(f"SKIPPED for want of root: {', '.join(scenario.alerts)}")
        _print(scenario.fault, stage)
        return stage
    try:
        scenario.act(stage)
    except (AssertionError, OSError, ValueError) as error:
        stage.notes.append(f"{type(error).__name__}: {error}")
    finally:
        for end in stage.ends:
            end()
    for alert in scenario.alerts:
        stage.found.setdefault(alert, None)
    _print(scenario.fault, stage)
    return stage


def _print(fault: str, stage: Stage) -> None:
    lines = [f"{stage.name}: {fault}"]
    for alert, after_s in stage.found.items():
        lines.append(
            f"  MISSED {alert}" if after_s is None else f"  {alert} fired after {after_s:.1f} s"
        )
    lines += [f"  {note}" for note in stage.notes]
    print("\n".join(lines), flush=True)


def _end(watch: Watch) -> int:
    """See the heartbeat, and what is told once nothing is scraped; return the failures."""
    watch.forget_all()
    found = {
        "TickdWatchdog": watch.wait_for("TickdWatchdog", "", FINAL_S_MAX),
        "TickdAbsent": watch.wait_for("TickdAbsent", "", FINAL_S_MAX),
    }
    stage = Stage("nothing-scraped", watch.folder, watch, found=found)
    _print("all targets are taken away", stage)
    return _failures(stage)


def _failures(stage: Stage) -> int:
    return sum(after_s is None for after_s in stage.found.values())


if __name__ == "__main__":
    sys.exit(main())
