"""The dashboards that are shipped: generated, complete, and easy to read."""

import re
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from daemon.adapters.sinks.prometheus.catalog import CATALOG
from deploy.grafana.boards import BOARDS
from deploy.grafana.generate import render
from tests.deploy.dashboards import FILES, FOLDER, load, queries
from tests.deploy.prometheus_files import rules_of, unknown_names

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Panel = dict[str, Any]


def panels_of(path: Path) -> list[Panel]:
    panels: list[Panel] = load(path)["panels"]
    return panels


every_board = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_committed_dashboard_is_the_one_that_the_catalog_gives(board: Any) -> None:
    committed = (FOLDER / f"{board.uid}.json").read_text(encoding="utf-8")

    assert committed == render(board), "run: python -m deploy.grafana.generate"


def test_there_are_four_dashboards_and_no_file_is_left_over() -> None:
    assert [path.stem for path in FILES] == sorted(board.uid for board in BOARDS)
    assert len(FILES) == 4


@every_board
def test_grafanas_own_types_read_it_back_the_same(path: Path) -> None:
    board = load(path)

    read = Dashboard.from_json(board)

    assert read.uid == board["uid"] == path.stem
    assert [panel.title for panel in read.panels or ()] == [p["title"] for p in board["panels"]]


@every_board
def test_the_source_is_chosen_by_the_reader(path: Path) -> None:
    board = load(path)
    kinds = {one["name"]: one["type"] for one in board["templating"]["list"]}

    assert kinds["datasource"] == "datasource"
    for panel in board["panels"]:
        assert panel["datasource"] == SOURCE, panel["title"]
        assert all(target["datasource"] == SOURCE for target in panel["targets"]), panel["title"]


@every_board
def test_every_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    for panel in panels_of(path):
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["legendFormat"], panel["title"]


@every_board
def test_units_are_those_of_the_metrics(path: Path) -> None:
    for panel in panels_of(path):
        unit = panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            expr = target["expr"]
            if "_bytes" in expr:
                assert unit == "bytes", panel["title"]
            if re.search(r"(?<!cpu)_seconds(?:_bucket)?[{\[]", expr) and "changes(" not in expr:
                assert unit == "s", panel["title"]
            if re.search(r"tickd_\w+_ratio\{", expr) and "speed" not in expr:
                assert unit == "percentunit", panel["title"]
            if expr.startswith("sum by") and " (rate(" in expr:
                assert unit == "ops", panel["title"]


@every_board
def test_rates_fit_the_time_that_is_shown_and_no_instance_is_fixed(path: Path) -> None:
    for panel in panels_of(path):
        for target in panel["targets"]:
            expr = target["expr"]
            for window in re.findall(r"(?:rate|increase)\([^\[]*\[([^\]]+)\]", expr):
                assert window == "$__rate_interval", panel["title"]
            for selector in re.findall(r"\{([^}]*)\}", expr):
                assert "ALERTS" in expr or 'instance=~"$instance"' in selector, panel["title"]
            assert not re.search(r"\d+\.\d+\.\d+\.\d+|localhost|:\d{4}", expr), panel["title"]


@every_board
def test_panels_lie_side_by_side(path: Path) -> None:
    cells: set[tuple[int, int]] = set()
    panels = panels_of(path)
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in cells, panel["title"]
                assert x < 24, panel["title"]
                cells.add((x, y))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_queries_ask_only_for_metrics_that_there_are() -> None:
    for asked in queries("1m"):
        assert unknown_names(asked.expr) == set(), asked


def test_every_metric_is_on_a_dashboard() -> None:
    rules = [rule["expr"] for rule in rules_of("rules.yml")]
    text = "\n".join([asked.expr for asked in queries("1m")] + rules)

    missing = [metric.name for metric in CATALOG if not re.search(rf"\b{metric.name}", text)]

    assert missing == []
