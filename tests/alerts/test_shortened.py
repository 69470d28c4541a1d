"""The shortened rules are the shipped ones in all but their times."""

import re

import pytest
import yaml

from tests.alerts.scenarios import SCENARIOS, WITHOUT_FAULT
from tests.alerts.shortened import seconds_of, shortened_expr, shortened_rules
from tests.deploy.prometheus_files import alert_rules, rules_of


def test_every_alert_has_a_fault_that_sets_it_off() -> None:
    by_faults = [alert for scenario in SCENARIOS for alert in scenario.alerts]

    assert sorted([*by_faults, *WITHOUT_FAULT]) == sorted(alert.name for alert in alert_rules())


@pytest.mark.parametrize(
    ("expr", "shortened"),
    [
        ("increase(a_total[30m]) > 20", "increase(a_total[30000ms]) > 20"),
        ("rate(a_total[2m])", "rate(a_total[4000ms])"),
        ("a - a offset 3h30m > 1", "a - a offset 210000ms > 1"),
    ],
)
def test_ranges_and_offsets_are_shortened_and_nothing_else(expr: str, shortened: str) -> None:
    assert shortened_expr(expr) == shortened


def test_a_duration_is_the_sum_of_its_parts() -> None:
    assert seconds_of("1h30m") == 5400


@pytest.mark.parametrize("name", ["rules.yml", "alerts.yml"])
def test_all_rules_are_there_with_names_labels_and_texts(name: str) -> None:
    shipped = rules_of(name)
    shortened = [
        rule for group in yaml.safe_load(shortened_rules(name))["groups"] for rule in group["rules"]
    ]

    assert len(shortened) == len(shipped)
    for long, short in zip(shipped, shortened, strict=True):
        assert set(long) == set(short)
        for same in ("alert", "record", "labels", "annotations"):
            assert long.get(same) == short.get(same)
        without_times = re.compile(r"\[\w+\]|offset \w+")
        assert without_times.sub("", long["expr"]) == without_times.sub("", short["expr"])
