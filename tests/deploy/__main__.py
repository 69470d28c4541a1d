"""Runs every query of every dashboard against a real Prometheus that scrapes a live daemon.

    python -m tests.deploy [--seconds N]

A query that is refused, or gives no series, or only NaN, is a failure: it ends with 1 then.
"""

import argparse
import math
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.alerts.daemons import DaemonProcess
from tests.alerts.watch import Watch, missing_programs, watching
from tests.deploy.dashboards import Asked, choices, queries

WINDOW = "20s"
# A silent socket makes the daemon ask by request, so that there are requests to measure; a webhook
# that nobody answers is one more sink.
CONFIG = """
[sandbox]
speed = 120.0
[sandbox.faults]
plan = [{ kind = "silent_socket", start_s = 5 }]
[alerts.webhook]
url = "http://127.0.0.1:9/"
"""


def main() -> int:
    """Look at every query; return the exit code."""
    parser = argparse.ArgumentParser(prog="make check-dashboards", description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0, help="how long the daemon trades")
    asked = parser.parse_args()
    if missing := missing_programs():
        print(f"not installed: {', '.join(missing)} (Debian has them under these names)")
        return 1
    with TemporaryDirectory(prefix="tickd-dashboards-") as name, watching(Path(name)) as watch:
        daemon = DaemonProcess(Path(name) / "daemon", "eager", extra=CONFIG)
        try:
            daemon.start()
            watch.scrape("vps", daemon.port)
            time.sleep(asked.seconds)
            return _look(watch)
        finally:
            daemon.end()


def _look(watch: Watch) -> int:
    every = [*queries(WINDOW), *choices(WINDOW)]
    failures = 0
    for asked in every:
        trouble = _trouble(watch, asked)
        failures += bool(trouble)
        if trouble:
            print(f"FAILED {asked}: {trouble}\n       {asked.expr}")
    boards = len({asked.board for asked in every})
    print(f"{len(every)} queries of {boards} dashboards: {failures} without data")
    return 1 if failures else 0


def _trouble(watch: Watch, asked: Asked) -> str:
    try:
        series = watch.query(asked.expr)
    except ValueError as error:
        return f"refused: {error}"
    if not series:
        return "no series"
    if all(math.isnan(float(one["value"][1])) for one in series):
        return "only NaN"
    return ""


if __name__ == "__main__":
    sys.exit(main())
