"""The status of a daemon on the screen."""

import dataclasses
import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from daemon.app.cli.status import print_status
from daemon.ports import TaskStatus
from tests.adapters.sinks import some_status
from tests.app.cli.test_probe import Daemon, a_daemon
from tests.app.cli.tickd import Shell


def a_task(**changes: object) -> TaskStatus:
    moments = {"last_decision_ms": 1_767_225_600_000, "next_ask_ms": 1_767_225_900_000}
    prices = {"price": 60_123.45, "price_age_s": 0.4, "percent_tp": 12.3}
    return some_status.a_task("BTC/USDT", "breakout", **(moments | prices | changes))


def a_status(*tasks: TaskStatus, **changes: object) -> dict[str, Any]:
    usual: dict[str, object] = {"market_time_ms": 1_767_225_600_000, "uptime_s": 3725.0}
    status = some_status.a_status(*tasks, **({"orphans": ()} | usual | changes))
    told: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(status)))
    return told


def shown(status: dict[str, Any], width: int = 200) -> str:
    console = Console(file=StringIO(), width=width, no_color=True)
    print_status(console, status)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_person_sees_what_runs_and_how_it_stands() -> None:
    text = shown(a_status(a_task(), a_task(strategy_name="pullback", state="idle")))

    for part in (
        "ready",
        "sandbox (signal)",
        "2026-01-01 00:00:00 (x60)",
        "up 1 h 2 min",
        "signals: 1 open, 0 waiting for their entry",
        "BTC/USDT",
        "breakout",
        "pullback",
        "60123.45",
        "+12 %",
        "0.4 s",
        "00:05",
    ):
        assert part in text
    assert "not ready" not in text


def test_what_is_wrong_is_on_top() -> None:
    task = a_task(condition="circuit_open", is_ready=False, reason="5 failures in a row")
    status = a_status(task, is_ready=False, reasons=["no price"], orphans=["ETH/USDT old"])

    lines = shown(status).splitlines()

    assert "not ready" in lines[1]
    assert "! no price" in lines[2]
    assert "! ETH/USDT old: an open signal of a strategy that is not configured" in lines[3]
    assert any("circuit open (5 failures in a row)" in line for line in lines)


def test_a_reason_cannot_draw_on_the_screen() -> None:
    """Text from a strategy is shown as it is: no markup, no control characters."""
    text = shown(a_status(a_task(reason="[red]x[/red]\x1b[2J", is_ready=False)))

    assert "[red]x[/red]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("missing", ["price", "price_age_s", "next_ask_ms", "price_open", "reason"])
def test_a_value_that_is_not_there_yet_leaves_a_gap(missing: str) -> None:
    status = a_status(a_task())
    status["tasks"][0][missing] = None

    assert "BTC/USDT" in shown(status)


def test_a_daemon_of_another_version_is_shown_as_far_as_it_is_understood() -> None:
    assert "not ready" in shown({"tasks": [{"symbol": "BTC/USDT"}]})
    assert shown({"tasks": 3, "sinks": None})


class StatusPage(Daemon):
    body = b""

    def do_GET(self) -> None:  # noqa: N802 - the server looks it up by this name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)


def test_the_status_is_printed_for_people_and_for_programs(shell: Shell) -> None:
    class Page(StatusPage):
        body = json.dumps(a_status(a_task())).encode()

    with a_daemon(Page) as address:
        table = shell("status", "--url", str(address))
        told = shell("status", "--json", "--url", str(address))

    assert (table.code, told.code) == (0, 0)
    assert "BTC/USDT" in table.out
    assert json.loads(told.out) == a_status(a_task())


def test_a_daemon_that_is_not_ready_ends_with_1(shell: Shell) -> None:
    class Page(StatusPage):
        body = json.dumps(a_status(is_ready=False)).encode()

    with a_daemon(Page) as address:
        assert shell("status", "--url", str(address)).code == 1


@pytest.mark.parametrize("answer", [b"", b"hello", b"[]", b'{"a": 1}', b"\xff"])
def test_somebody_else_who_answers_is_told(shell: Shell, answer: bytes) -> None:
    class Page(StatusPage):
        body = answer

    with a_daemon(Page) as address:
        ended = shell("status", "--url", str(address))

    assert ended.code == 69
    assert f"what answers at {address} is no tickd (HTTP 200)" in ended.err
