"""Makes `events.md` from the classes that tickd tells, their emitters and their listeners."""
# ruff: noqa: INP001 - a script beside the pages that it writes, not a package

import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_type_hints

from daemon.adapters.clock import WallClock
from daemon.adapters.sinks.webhook import Target, WebhookAlertSink
from daemon.app import listeners
from daemon.core.alert_kinds import AlertKind
from daemon.core.alerts import alerts_of
from daemon.core.events import Announcement, SignalClosed, TickResult, Transition
from daemon.core.pnl import profit_loss
from daemon.core.records import Journaled, TransitionEntry
from daemon.core.redaction import Redactor
from daemon.core.research_events import ResearchEvent, ResearchSubjects
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal, SignalRow
from daemon.core.subjects import Subject

_MODULES = re.compile(r"(?:[a-z_]+\.)+(?=[A-Z])")
_SUBSCRIBES = re.compile(r"subjects\.(\w+)\.")

_HEAD = """\
# Events

Generated from the code by `python -m docs.generate`; a test compares the two.

Every event is a frozen class of `from daemon import ...`. Times (`at_ms`, `timestamp`, ...) are UTC
epoch milliseconds of market time, prices quote units, percents percent points (1.0 is 1 %).
Each event of a task also answers `symbol`, `strategy_name`, `exchange_name` and `timestamp`.

## What is promised

**Transitions** are durable: {transitions}.
What happens to a signal is in the state file before anybody hears of it, and stays there until the
journal holds it; errors and exits are told at once and appended right behind. The journal is synced
to disk and never deletes. Each transition has an `id` that is made from its inputs (exchange,
symbol, strategy, time), so that the same fact told twice has the same id.

**Alert sinks** (the webhook, Telegram, apprise: [alerts.md](alerts.md)) read the journal behind a
cursor of their own that is saved after each delivery: every alert reaches them **at least once, in
the order of the journal**. After a crash the last ones may come again, with the same ids. An
unreachable receiver is tried again for ever, with growing waits (0.5 s to 60 s, or what it asks
for); the next start goes on where the cursor stands.

**Log, metrics and listeners** are best effort: each has a bounded queue of its own, in order. What
is dropped when it is full is counted and reported. None of them can hold up a tick.

**A listener** hears its events one at a time and in the order in which they were told, also when it
is async: the next one waits for the last one to end. What it raises goes to `error` and harms
nobody. A `..._once` listener gets the first event that its condition accepts, then is unsubscribed;
the condition is a plain function. Every `listen_...` function returns a function that unsubscribes.

**Idle and active** are results of ticks, not transitions: listeners hear them, nothing keeps them.

**Order within one tick**: the state is saved, the journal has it, listeners, log and metrics are
handed it, then the strategy's callbacks are called: `on_write`, what happened, `on_tick`.
"""

_WEBHOOK = """
## The webhook

With `alerts.webhook.url` set, each alert is posted as JSON, one post at a time and in order.
Any answer but 2xx means that the same post comes again. This is one:

```json
{body}
```

| header | what it is |
|---|---|
| `Tickd-Event-Id` | the `id` again: remember it, and a repeat is recognised |
| `Tickd-Event-Kind` | the `event` again: for receivers that route by headers |
| `Tickd-Timestamp` | unix seconds of the sending; refuse what is older than some minutes |
| `Tickd-Signature` | with a secret: `sha256=` and the HMAC-SHA256 (hex) of timestamp, `.`, body |

A receiver checks the signature over the bytes as they came, and the age of what it signs:

```python
import hmac
import time
from collections.abc import Mapping

AGE_S_MAX = 300


def is_genuine(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    timestamp = headers["Tickd-Timestamp"]
    signed = timestamp.encode() + b"." + body
    wanted = "sha256=" + hmac.new(secret, signed, "sha256").hexdigest()
    is_fresh = abs(time.time() - int(timestamp)) <= AGE_S_MAX
    return hmac.compare_digest(wanted, headers["Tickd-Signature"]) and is_fresh
```

`event` is one of {names}.
Where the log tells the same it bears the same name, and `fields` are the fields of its line.
`level` is how much it matters: info, notice, warning or critical. `number` is the journal's entry.
"""


def render_events() -> str:
    """Return `events.md`."""
    heard = _listeners()
    parts = [_HEAD.format(transitions=", ".join(f"`{kind.__name__}`" for kind in _transitions()))]
    parts.append("\n## Emitters and their listeners\n\n| emitter | event | listeners | what |\n")
    parts.append("|---|---|---|---|\n")
    hints = get_type_hints(ResearchSubjects)
    for item in fields(ResearchSubjects):
        functions = heard.get(item.name, [])
        names = ", ".join(f"`{function.__name__}`" for function in functions) or "none yet"
        what = _first_line(functions[0]) if functions else ""
        parts.append(f"| `{item.name}` | {_payload(hints[item.name])} | {names} | {what} |\n")
    parts.append("\n## The fields of each event\n")
    parts += [_class_section(kind) for kind in _told()]
    parts.append("\n## Signals\n")
    parts += [_class_section(kind) for kind in (Signal, SignalRow)]
    parts.append(_webhook())
    return "".join(parts)


def _transitions() -> Iterator[type]:
    return (kind for kind in get_args(Transition))


def _told() -> list[type]:
    """Return every class that may be announced, tick results first."""
    kinds = (*get_args(TickResult), *get_args(Announcement), *get_args(ResearchEvent))
    return list(dict.fromkeys(kinds))


def _listeners() -> dict[str, list[Callable[..., object]]]:
    """Return the public functions by the emitter that they subscribe to."""
    found: dict[str, list[Callable[..., object]]] = {}
    for name, function in vars(listeners).items():
        if name.startswith("listen_"):
            match = _SUBSCRIBES.search(inspect.getsource(function))
            assert match is not None, name
            found.setdefault(match[1], []).append(function)
    return found


def _payload(hint: Any) -> str:  # noqa: ANN401 - a type at run time is anything
    (payload_type,) = get_args(hint)
    assert hint.__origin__ is Subject
    if isinstance(payload_type, UnionType):
        return "a tick result"
    return f"`{payload_type.__name__}`"


def _class_section(kind: type) -> str:
    assert is_dataclass(kind)
    text = _unwrapped(kind)
    rows = "".join(f"| `{item.name}` | {_type_text(kind, item.name)} |\n" for item in fields(kind))
    return f"\n### `{kind.__name__}`\n\n{text}\n\n| field | type |\n|---|---|\n{rows}"


def _unwrapped(kind: type) -> str:
    paragraphs = (inspect.getdoc(kind) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _type_text(kind: type, name: str) -> str:
    hint = get_type_hints(kind)[name]
    text = hint.__name__ if isinstance(hint, type) else _MODULES.sub("", str(hint))
    return f"`{text}`".replace("NoneType", "None").replace(" | ", "` or `")


def _first_line(function: Callable[..., object]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _webhook() -> str:
    names = ", ".join(f"`{name}`" for name in get_args(AlertKind))
    sink = WebhookAlertSink(Target(url="http://localhost/"), WallClock(), Redactor())
    entry = TransitionEntry(key=_a_close().key, events=(_a_close(),), at_ms=_a_close().at_ms)
    (alert,) = alerts_of(Journaled(number=42, entry=entry))
    posted = sink._body(alert)  # noqa: SLF001 - what is posted, byte for byte
    body = json.dumps(json.loads(posted), indent=2)
    return _WEBHOOK.format(body=body, names=names)


def _a_close() -> SignalClosed:
    row = SignalRow(
        id="a752f0e4573ba407bde9",
        label="",
        symbol="ETH/USDT",
        strategy_name="breakout",
        exchange_name="sandbox",
        position="long",
        price_open=2900.0,
        price_take_profit=2929.0,
        price_stop_loss=2885.5,
        minute_estimated_time=20,
        note="closed above the high of 15 minutes",
        scheduled_at=1_767_227_400_000,
        pending_at=1_767_227_400_000,
        is_scheduled=False,
    )
    return SignalClosed(
        id=f"{row.id}-closed",
        key=Key(exchange_name="sandbox", symbol=row.symbol, strategy_name=row.strategy_name),
        signal=row,
        current_price=row.price_take_profit,
        close_reason="take_profit",
        close_timestamp=1_767_227_910_000,
        pnl=profit_loss("long", row.price_open, row.price_take_profit, Rules()),
        at_ms=1_767_227_910_000,
    )
