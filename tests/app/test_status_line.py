"""The line of `systemctl status`: true, short, and what is wrong first."""

from dataclasses import replace

from daemon.app.status_line import LENGTH_MAX, status_line
from daemon.ports import DaemonStatus, TaskStatus
from tests.adapters.sinks import some_status
from tests.adapters.sinks.some_status import a_task

TASK = a_task(strategy="s", state="idle")


def a_status(*tasks: TaskStatus, reasons: tuple[str, ...] = ()) -> DaemonStatus:
    return some_status.a_status(
        *tasks,
        is_ready=not reasons,
        reasons=reasons,
        open_count=sum(task.state in {"active", "closing"} for task in tasks),
        waiting_count=sum(task.state == "scheduled" for task in tasks),
    )


def test_a_quiet_daemon_says_how_many_tasks_are_ready() -> None:
    assert status_line(a_status(TASK)) == "1 of 1 task ready on sandbox"


def test_what_is_open_paused_and_stopped_is_counted() -> None:
    tasks = (
        replace(TASK, state="active"),
        replace(TASK, state="closing"),
        replace(TASK, state="scheduled", is_paused=True),
        replace(TASK, condition="stopped"),
    )

    line = status_line(a_status(*tasks))

    assert line == (
        "4 of 4 tasks ready on sandbox, 2 open, 1 waiting for entry, 1 paused, 1 stopped"
    )


def test_what_is_wrong_comes_first_and_on_one_line() -> None:
    tasks = (TASK, replace(TASK, is_ready=False, reason="no fresh price"))
    reasons = ("BTC/USDT s: no\nfresh price", "state: full", "journal: full", "one more")

    line = status_line(a_status(*tasks, reasons=reasons))

    assert line == (
        "degraded: 1 of 2 tasks ready on sandbox:"
        " BTC/USDT s: no fresh price; state: full; and 2 more"
    )


def test_a_long_reason_is_cut() -> None:
    line = status_line(a_status(TASK, reasons=("x" * 5_000,)))

    assert len(line) == LENGTH_MAX
    assert line.endswith(" ...")
