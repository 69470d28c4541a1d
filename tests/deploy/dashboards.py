"""The dashboards as they are committed, read for tests and for the check against a live daemon."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.prometheus_files import ROOT

FOLDER = ROOT / "deploy" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One query of a panel, with what a reader chooses put in: everything."""

    board: str
    panel: str
    expr: str

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}"


def load(path: Path) -> dict[str, Any]:
    """Return one dashboard."""
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def as_asked(expr: str, window: str) -> str:
    """Return `expr` as Grafana would send it, with every choice open."""
    for name, value in (("$__rate_interval", window), ("$instance", ".*"), ("$strategy", ".*")):
        expr = expr.replace(name, value)
    return expr


def queries(window: str) -> Iterator[Asked]:
    """Yield every query of every dashboard; `window` is that of rates, as in `1m`."""
    for path in FILES:
        board = load(path)
        for panel in board["panels"]:
            for target in panel["targets"]:
                expr = as_asked(target["expr"], window)
                yield Asked(board=board["uid"], panel=panel["title"], expr=expr)


def choices(window: str) -> Iterator[Asked]:
    """Yield what the lists of choices ask for, as queries."""
    for path in FILES:
        board = load(path)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                asked, label = variable["query"][len("label_values(") : -1].rsplit(", ", 1)
                expr = f"group by ({label}) ({as_asked(asked, window)})"
                yield Asked(board=board["uid"], panel=f"choice of {label}", expr=expr)
