"""An alert as people read it: a title and a few short lines of plain text, whatever it holds.

Nothing in an event is ever used as a pattern or as markup: values stand in the text as they are,
flattened to one line and without signs that turn text around or control a screen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from daemon.core.alert_kinds import AlertKind
from daemon.core.alerts import Alert
from daemon.core.fields import Fields
from daemon.core.plain_text import one_line
from daemon.core.wording import percent_text, price_text, span_text, time_text

NOTE_LENGTH_MAX = 500
MESSAGE_LENGTH_MAX = 2000


@dataclass(frozen=True, slots=True)
class Words:
    """What is said: `title` is never empty; `lines` may be none."""

    title: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return all of it, the title first."""
        return "\n".join((self.title, *self.lines))


def words_of(alert: Alert) -> Words:
    """Return how `alert` reads. Never fails: fields that are not there are left out."""
    told = _Told(alert.fields)
    title = _TITLES[alert.kind](told)
    where = " ".join(filter(None, (one_line(alert.symbol), one_line(alert.strategy_name))))
    sign = _sign_of(alert)
    ends = f"{time_text(alert.at_ms)} UTC  #{alert.number}"
    lines = (*_LINES[alert.kind](told), *_note(told), ends)
    return Words(f"{sign} {where}: {title}" if where else f"{sign} {title}", lines)


def short_words_of(alert: Alert) -> str:
    """Return `alert` on one line, for lists."""
    told = _Told(alert.fields)
    where = " ".join(filter(None, (one_line(alert.symbol), one_line(alert.strategy_name))))
    title = _TITLES[alert.kind](told)
    return cut(f"{time_text(alert.at_ms)[:5]} {where} {title}".replace("  ", " "), 160)


def cut(text: str, length_max: int) -> str:
    """Return `text` with at most so many characters, an ellipsis for what is left out."""
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


class _Told:
    """The fields of an alert, each asked for by the type that it should have."""

    def __init__(self, fields: Fields) -> None:
        self._fields = cast("Mapping[str, object]", fields)

    def text(self, name: str) -> str:
        value = self._fields.get(name)
        return "" if value is None else one_line(str(value))

    def number(self, name: str) -> float:
        value = self._fields.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    def price(self, name: str) -> str:
        return price_text(self.number(name))

    def percent(self, name: str) -> str:
        return percent_text(self.number(name))


def _sign_of(alert: Alert) -> str:
    match alert.kind:
        case "signal_closed":
            return "✅" if _Told(alert.fields).number("pnl_percent") > 0 else "❌"
        case _:
            return "🚨" if alert.level == "critical" else _SIGNS[alert.kind]


_SIGNS: Mapping[AlertKind, str] = {
    "started": "▶️",
    "stopped": "⏹",
    "command": "🎛",
    "signal_scheduled": "⏳",
    "signal_opened": "🔵",
    "signal_closed": "✅",
    "signal_cancelled": "⚪",
    "partial_profit": "📈",
    "partial_loss": "📉",
    "risk_refused": "🛡",
    "error": "⚠️",
    "exit": "🚨",
}

_CLOSES: Mapping[str, str] = {
    "take_profit": "took its profit",
    "stop_loss": "was stopped out",
    "time_expired": "ran out of time",
    "user": "was closed by a person",
}

_CANCELS: Mapping[str, str] = {
    "timeout": "did not reach its entry in time",
    "stop_loss": "reached its stop before its entry",
    "user": "was cancelled by a person",
    "stopped": "was dropped: its strategy was stopped",
    "data_end": "was still waiting when the data ended",
}

_TITLES: Mapping[AlertKind, Callable[[_Told], str]] = {
    "started": lambda told: f"tickd {told.text('version')} started",
    "stopped": lambda _: "tickd stopped",
    "command": lambda told: one_line(f"{told.text('command')} {told.text('target')}"),
    "signal_scheduled": lambda told: (
        f"{told.text('position')} waits for {told.price('price_open')}"
    ),
    "signal_opened": lambda told: f"{told.text('position')} opened at {told.price('price_open')}",
    "signal_closed": lambda told: (
        f"{told.text('position')} {_CLOSES.get(told.text('reason'), 'closed')},"
        f" {told.percent('pnl_percent')} after costs"
    ),
    "signal_cancelled": lambda told: (
        f"{told.text('position')} {_CANCELS.get(told.text('reason'), 'was cancelled')}"
    ),
    "partial_profit": lambda told: (
        f"{told.text('position')} reached profit level {told.text('level_percent')} %"
    ),
    "partial_loss": lambda told: (
        f"{told.text('position')} reached loss level {told.text('level_percent')} %"
    ),
    "risk_refused": lambda told: (
        f"{told.text('position')} refused{_at_entry(told)} by risk {told.text('risk')}"
    ),
    "error": lambda told: f"trouble in {told.text('where')}",
    "exit": lambda told: f"ended by {told.text('where')}",
}
"""The title of each kind; who it is about stands before it."""


def _at_entry(told: _Told) -> str:
    waited = told.number("waited_minutes")
    return f" at its entry after {span_text(waited)}" if waited else ""


def _bounds(told: _Told) -> tuple[str, ...]:
    return (
        f"take profit {told.price('price_take_profit')} ({told.percent('take_profit_percent')})",
        f"stop {told.price('price_stop_loss')} ({told.percent('stop_loss_percent')})",
        f"life {span_text(told.number('minute_estimated_time'))}",
    )


def _scheduled(told: _Told) -> tuple[str, ...]:
    away = told.percent("entry_percent")
    return (f"price now {told.price('current_price')}, {away} away", *_bounds(told))


def _closed(told: _Told) -> tuple[str, ...]:
    held = span_text(told.number("held_minutes"))
    way = f"{told.price('price_open')} → {told.price('current_price')}"
    return (f"{way}, held {held}",)


def _cancelled(told: _Told) -> tuple[str, ...]:
    waited = span_text(told.number("waited_minutes"))
    return (f"entry {told.price('price_open')}, price {told.price('current_price')}, {waited}",)


def _level(told: _Told) -> tuple[str, ...]:
    return (f"price {told.price('current_price')} ({told.percent('price_percent')})",)


def _refused(told: _Told) -> tuple[str, ...]:
    return (cut(told.text("reason"), NOTE_LENGTH_MAX),)


def _trouble(told: _Told) -> tuple[str, ...]:
    error = told.text("error")
    message = f"{error}: {told.text('message')}" if error else told.text("message")
    return (cut(message, MESSAGE_LENGTH_MAX),)


def _note(told: _Told) -> tuple[str, ...]:
    note = told.text("note")
    return (f"“{cut(note, NOTE_LENGTH_MAX)}”",) if note else ()


_LINES: Mapping[AlertKind, Callable[[_Told], tuple[str, ...]]] = {
    "started": lambda told: (f"configuration {told.text('config_hash')}",),
    "stopped": lambda told: (f"{told.text('open_signals')} signals go on at the next start",),
    "command": lambda told: (
        told.text("result") or "done",
        one_line(f"by {told.text('origin')} {told.text('identity')}"),
    ),
    "signal_scheduled": _scheduled,
    "signal_opened": _bounds,
    "signal_closed": _closed,
    "signal_cancelled": _cancelled,
    "partial_profit": _level,
    "partial_loss": _level,
    "risk_refused": _refused,
    "error": _trouble,
    "exit": _trouble,
}
