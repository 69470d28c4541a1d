"""Log lines for people: a signal's life told so that a newcomer understands each line."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from daemon.adapters.sinks.structured_log.clean import visible, visible_lines
from daemon.core import wording

Value = object
Fields = Mapping[str, Value]
Tone = Literal["plain", "dim", "bold", "good", "bad", "warn", "note", "calm", "loud"]

_CODES: dict[Tone, str] = {
    "plain": "",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
    "good": "\x1b[32m",
    "bad": "\x1b[31m",
    "warn": "\x1b[33m",
    "note": "\x1b[35m",
    "calm": "\x1b[36m",
    "loud": "\x1b[1;31m",
}
_RESET = "\x1b[0m"

_SHOWN_ELSEWHERE = {"event", "level", "timestamp", "exception", "stack", "logger"}

NOTE_LENGTH_MAX = 160
MARKET_TIME_AWAY = timedelta(seconds=90)
"""Market time is shown where it is this far from the clock on the wall: in the sandbox."""


class ConsoleLine:
    """Renders an event as one line, or a few when it carries a traceback."""

    def __init__(self, *, has_colors: bool) -> None:
        self._has_colors = has_colors

    def __call__(self, event: Fields) -> str:
        """Return the text for `event`, a structlog event dictionary of plain values."""
        name = visible(str(event.get("event", "")))
        tone = _tone(name, event)
        told = _SENTENCES.get(name)
        start = [self._paint("dim", _time(event)), self._paint(tone, f"{name:<16}")]
        try:
            rest = self._who(event) + (told(event, self._paint) if told else [])
        except (KeyError, TypeError, ValueError):
            # Not one of ours, though it bears the name: tell it field by field.
            told, rest = None, []
        if told is None:
            rest = self._pairs(event)
        rest += self._tail(event) if told else []
        line = " ".join([*start, "  ".join(part for part in rest if part)]).rstrip()
        return "\n".join([line, *self._below(event)])

    def _who(self, event: Fields) -> list[str]:
        symbol = _plain(event, "symbol")
        strategy = _plain(event, "strategy")
        return [self._paint("bold", f"{symbol:<9}"), f"{strategy:<12}"]

    def _tail(self, event: Fields) -> list[str]:
        parts = []
        if note := event.get("note"):
            text = visible(str(note))
            cut = text if len(text) <= NOTE_LENGTH_MAX else text[: NOTE_LENGTH_MAX - 1] + "…"
            parts.append(self._paint("dim", f"note={cut}"))
        if market_time := _market_time(event):
            parts.append(self._paint("dim", f"market {market_time}"))
        return parts

    def _pairs(self, event: Fields) -> list[str]:
        logger = visible(str(event.get("logger") or ""))
        shown = [self._paint("dim", logger)] if logger else []
        shown += [
            self._paint("dim", f"{visible(key)}=") + _quoted(value)
            for key, value in event.items()
            if key not in _SHOWN_ELSEWHERE
        ]
        return shown

    def _below(self, event: Fields) -> list[str]:
        trace = "\n".join(str(event[key]) for key in ("exception", "stack") if event.get(key))
        return [self._paint("dim", f"    {line}") for line in visible_lines(trace)]

    def _paint(self, tone: Tone, text: str) -> str:
        if not self._has_colors or not _CODES[tone] or not text:
            return text
        return f"{_CODES[tone]}{text}{_RESET}"


Paint = Callable[[Tone, str], str]


def price_text(price: Value) -> str:
    """Return a price with as many decimals as its size deserves."""
    return wording.price_text(_number(price))


def span_text(minutes: Value) -> str:
    """Return a span: 20 min, 2.5 h."""
    return wording.span_text(_number(minutes))


def percent_text(percent: Value, paint: Paint) -> str:
    """Return a signed percentage, green or red."""
    number = _number(percent)
    text = wording.percent_text(number)
    return paint("good" if number > 0 else "bad" if number < 0 else "plain", text)


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(value)


def _time(event: Fields) -> str:
    # ISO in UTC: the time of day is what a person follows on a screen.
    return visible(str(event.get("timestamp", "")))[11:19]


def _market_time(event: Fields) -> str:
    at_ms = event.get("at_ms")
    if not isinstance(at_ms, int):
        return ""
    market = datetime.fromtimestamp(at_ms / 1000, UTC)
    wall = datetime.fromisoformat(str(event.get("timestamp", "")))
    if abs(market - wall) < MARKET_TIME_AWAY:
        return ""
    return market.strftime("%H:%M:%S" if market.date() == wall.date() else "%Y-%m-%d %H:%M:%S")


def _plain(event: Fields, key: str) -> str:
    return visible(str(event[key]))


def _quoted(value: Value) -> str:
    text = visible(value if isinstance(value, str) else str(value))
    return f'"{text}"' if " " in text or not text else text


def _tone(name: str, event: Fields) -> Tone:
    if name == "signal_closed":
        pnl = event.get("pnl_percent")
        return "good" if isinstance(pnl, int | float) and pnl > 0 else "bad"
    if name in _TONES:
        return _TONES[name]
    match event.get("level"):
        case "critical" | "error":
            return "loud"
        case "warning":
            return "warn"
        case _:
            return "bold"


_TONES: dict[str, Tone] = {
    "signal_scheduled": "calm",
    "signal_opened": "bold",
    "signal_cancelled": "dim",
    "partial_profit": "good",
    "partial_loss": "warn",
    "risk_refused": "note",
}


# -- One sentence an event -------------------------------------------------------------------------


def _opened(event: Fields, paint: Paint) -> list[str]:
    entry = f"{_plain(event, 'position')} entry {price_text(event['price_open'])}"
    return [entry, *_bounds(event, paint)]


def _scheduled(event: Fields, paint: Paint) -> list[str]:
    away = percent_text(event["entry_percent"], lambda _, text: text)
    entry = f"{_plain(event, 'position')} waits for entry {price_text(event['price_open'])}"
    now = f"(now {price_text(event['current_price'])}, {away} away)"
    return [f"{entry} {now}", *_bounds(event, paint)]


def _bounds(event: Fields, paint: Paint) -> list[str]:
    gain = percent_text(event["take_profit_percent"], paint)
    loss = percent_text(event["stop_loss_percent"], paint)
    return [
        f"take profit {price_text(event['price_take_profit'])} ({gain})",
        f"stop {price_text(event['price_stop_loss'])} ({loss})",
        f"life {span_text(event['minute_estimated_time'])}",
    ]


def _closed(event: Fields, paint: Paint) -> list[str]:
    how = _CLOSES.get(str(event["reason"]), f"{_plain(event, 'reason')} at")
    pnl = percent_text(event["pnl_percent"], paint)
    return [
        f"{_plain(event, 'position')} {how} {price_text(event['current_price'])}",
        f"pnl {pnl} after costs",
        f"entry {price_text(event['price_open'])}",
        f"held {span_text(event['held_minutes'])}",
    ]


_CLOSES = {
    "take_profit": "took its profit at",
    "stop_loss": "was stopped out at",
    "time_expired": "ran out of time at",
    "user": "was closed by a person at",
}


def _cancelled(event: Fields, _: Paint) -> list[str]:
    entry = price_text(event["price_open"])
    stop = price_text(event["price_stop_loss"])
    waited = span_text(event["waited_minutes"])
    why = {
        "timeout": f"did not reach its entry {entry} in {waited}",
        "stop_loss": f"reached its stop {stop} before its entry {entry}",
        "user": f"was cancelled by a person after {waited}",
        "stopped": f"was dropped after {waited}, because its strategy was stopped",
        "data_end": f"was still waiting for entry {entry} when the data ended",
    }
    reason = str(event["reason"])
    text = why.get(reason, visible(reason))
    return [f"{_plain(event, 'position')} {text}", f"price {price_text(event['current_price'])}"]


def _level(event: Fields, paint: Paint) -> list[str]:
    is_profit = event["event"] == "partial_profit"
    word = "profit" if is_profit else "loss"
    goal, price = (
        ("take profit", event["price_take_profit"])
        if is_profit
        else ("stop", event["price_stop_loss"])
    )
    change = percent_text(event["price_percent"], paint)
    way = abs(_number(event["progress_percent"]))
    return [
        f"{_plain(event, 'position')} reached {word} level {_plain(event, 'level_percent')} %",
        f"price {price_text(event['current_price'])} ({change})",
        f"{way:.3g} % of the way to {goal} {price_text(price)}",
    ]


def _refused(event: Fields, _: Paint) -> list[str]:
    count = _plain(event, "active_position_count")
    waited = ""
    if "waited_minutes" in event:
        waited = f" that waited {span_text(event['waited_minutes'])} for its entry, now"
    side, risk = _plain(event, "position"), _plain(event, "risk")
    who = f"{side}{waited} refused by risk profile {risk}"
    rule = f"rule={_plain(event, 'rule')}" if event.get("rule") else ""
    return [f"{who}: {_plain(event, 'reason')}", f"{count} open", rule]


def _trouble(event: Fields, _: Paint) -> list[str]:
    kind = f"{_plain(event, 'error')}: " if event["error"] else ""
    return [f"{_plain(event, 'where')}: {kind}{_plain(event, 'message')}"]


def _done(event: Fields, _: Paint) -> list[str]:
    return ["the run has ended" if event["strategy"] else ""]


_SENTENCES: dict[str, Callable[[Fields, Paint], list[str]]] = {
    "signal_scheduled": _scheduled,
    "signal_opened": _opened,
    "signal_closed": _closed,
    "signal_cancelled": _cancelled,
    "partial_profit": _level,
    "partial_loss": _level,
    "risk_refused": _refused,
    "error": _trouble,
    "exit": _trouble,
    "run_done": _done,
}
