"""The rules and alerts that are shipped: each fires, each stays silent, each has its runbook."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.prometheus_files import (
    FOLDER,
    RUNBOOK,
    AlertRule,
    alert_rules,
    load,
    rules_of,
    unknown_names,
)

ALERTS = alert_rules()
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
SEVERITIES = {"critical", "warning", "info", "none"}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian: prometheus)"
)


def promtool(*arguments: str, folder: Path = FOLDER) -> tuple[int, str]:
    ended = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


@needs_promtool
def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    code, told = promtool("check", "config", "prometheus.yml")

    assert code == 0, told
    assert "2 rule files found" in told


@needs_promtool
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_every_alert_fires_and_stays_silent_where_it_must(path: Path) -> None:
    code, told = promtool("test", "rules", path.name, folder=path.parent)

    assert code == 0, told


@needs_promtool
def test_a_changed_alert_would_be_found(tmp_path: Path) -> None:
    """The tests of the rules can fail."""
    shutil.copytree(FOLDER, tmp_path / "prometheus")
    alerts = tmp_path / "prometheus" / "alerts.yml"
    alerts.write_text(alerts.read_text().replace("tickd_strategy_drawdown_ratio", "other"))

    code, told = promtool("test", "rules", "trading.yml", folder=alerts.parent / "tests")

    assert code == 1
    assert "TickdDrawdown fires" in told


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_recorded_series_are_there_before_the_alerts_ask(path: Path) -> None:
    """Without an order promtool takes the groups by chance."""
    groups = [
        group["name"] for name in ("rules.yml", "alerts.yml") for group in load(name)["groups"]
    ]

    assert load(f"tests/{path.name}")["group_eval_order"] == groups


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_s11_every_alert_has_a_test_that_it_fires_and_one_that_it_is_silent(
    alert: AlertRule,
) -> None:
    verdicts = {
        bool(wanted["exp_alerts"])
        for path in TESTS
        for test in load(f"tests/{path.name}")["tests"]
        for wanted in test["alert_rule_test"]
        if wanted["alertname"] == alert.name
    }

    assert verdicts == ({True} if alert.name == "TickdWatchdog" else {True, False})


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_tells_a_person_what_to_do(alert: AlertRule) -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)

    assert alert.name in headings
    assert alert.severity in SEVERITIES
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert alert.annotations["runbook_url"] == f"docs/runbook.md#{alert.name.lower()}"
    assert len(alert.annotations["summary"]) <= 120, "it must fit a phone's lock screen"
    assert len(alert.annotations["description"]) >= 40


def test_the_runbook_has_every_alert_in_their_order_and_no_other() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")

    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == [alert.name for alert in ALERTS]
    for section in text.split("\n## ")[1:]:
        assert "**Means.**" in section, section.splitlines()[0]
        assert "**Do.**" in section, section.splitlines()[0]


def test_rules_ask_only_for_metrics_that_there_are() -> None:
    for rule in (*rules_of("rules.yml"), *rules_of("alerts.yml")):
        assert unknown_names(rule["expr"]) == set(), rule


def test_a_metric_that_is_gone_would_be_found() -> None:
    assert unknown_names('tickd_reedy{job="tickd"} == 0') == {"tickd_reedy"}
    assert unknown_names("instance:tickd_lag_seconds:p99_5m > 1") == {
        "instance:tickd_lag_seconds:p99_5m"
    }


def test_s11_a_heartbeat_always_fires() -> None:
    watchdog = next(alert for alert in ALERTS if alert.name == "TickdWatchdog")

    assert watchdog.expr == "vector(1)"
    assert watchdog.severity == "none"


@pytest.mark.parametrize(
    ("dead", "alert", "expr"),
    [
        ("tickd", "TickdDown", 'up{job="tickd"} == 0'),
        ("what looks for tickd", "TickdAbsent", 'absent(up{job="tickd"})'),
        ("a messenger", "TickdSinkBacklog", "tickd_sink_queue_events"),
        ("the log", "TickdSinkDropping", "tickd_log_drops_total"),
    ],
)
def test_s11_d22_a_way_to_people_that_is_dead_is_told_by_another(
    dead: str, alert: str, expr: str
) -> None:
    (rule,) = [rule for rule in ALERTS if rule.name == alert]

    assert expr in rule.expr, dead


def test_s11_the_heartbeat_goes_to_a_receiver_of_its_own_again_and_again() -> None:
    """What calls a person when it stops must not wait for the twelve hours of the others."""
    config = yaml.safe_load((FOLDER.parent / "alertmanager/alertmanager.yml").read_text())
    first = config["route"]["routes"][0]

    assert first["receiver"] == "heartbeat"
    assert first["matchers"] == ['severity="none"']
    assert re.fullmatch(r"[1-5]m", first["repeat_interval"])
    assert [rule.name for rule in ALERTS if rule.severity == "none"] == ["TickdWatchdog"]


def test_p14_growth_and_its_ceiling_are_told_before_the_kernel_acts() -> None:
    rules = {rule.name: rule for rule in ALERTS}

    assert "process_resident_memory_bytes" in rules["TickdMemoryGrowth"].expr
    assert "tickd_memory_limit_bytes" in rules["TickdMemoryHigh"].expr
    assert "tickd_strategy_memory_bytes" in rules["TickdStrategyGrowth"].expr
    assert "tickd_strategy_tasks" in rules["TickdStrategyTasks"].expr
    assert "process_open_fds" in rules["TickdOpenFiles"].expr


def test_every_rule_is_about_our_job_alone() -> None:
    for rule in (*rules_of("rules.yml"), *rules_of("alerts.yml")):
        for selector in re.findall(
            r"(?<![:\w])(?:tickd|process)_[a-z_]+(?![:\w])(\{[^}]*\})?", rule["expr"]
        ):
            assert selector.startswith('{job="tickd"'), rule["expr"]
