"""One line on how the daemon stands: what `systemctl status` shows."""

from collections.abc import Sequence

from daemon.core.wording import count_text
from daemon.ports import DaemonStatus

REASONS_SHOWN_MAX = 2
LENGTH_MAX = 300


def status_line(status: DaemonStatus) -> str:
    """Return the state of all tasks in one line, what is wrong first."""
    tasks = status.tasks
    ready_count = sum(task.is_ready for task in tasks)
    told = [f"{ready_count} of {count_text(len(tasks), 'task')} ready on {status.exchange}"]
    told += [f"{count} {what}" for count, what in _counts(status) if count]
    line = ", ".join(told)
    if not status.is_ready:
        line = f"degraded: {line}: {reasons_text(status.reasons)}"
    return line if len(line) <= LENGTH_MAX else f"{line[: LENGTH_MAX - 4]} ..."


def reasons_text(reasons: Sequence[str]) -> str:
    """Return the first reasons, and how many more there are."""
    shown = [" ".join(reason.split()) for reason in reasons[:REASONS_SHOWN_MAX]]
    more_count = len(reasons) - len(shown)
    return "; ".join(shown) + (f"; and {more_count} more" if more_count else "")


def _counts(status: DaemonStatus) -> list[tuple[int, str]]:
    return [
        (status.open_count, "open"),
        (status.waiting_count, "waiting for entry"),
        (sum(task.is_paused for task in status.tasks), "paused"),
        (sum(task.condition == "stopped" for task in status.tasks), "stopped"),
    ]
