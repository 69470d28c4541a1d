"""Many alerts as one message, in constant memory: counts, what the trades came to, the newest."""

from collections import Counter, deque
from dataclasses import dataclass, field

from daemon.core.alert_kinds import AlertKind
from daemon.core.alert_words import Words, short_words_of
from daemon.core.alerts import Alert, Place
from daemon.core.wording import moment_text, percent_text

NEWEST_SHOWN = 10

_NOUNS: dict[AlertKind, str] = {
    "started": "starts",
    "stopped": "stops",
    "command": "commands",
    "signal_scheduled": "signals that began to wait",
    "signal_opened": "positions opened",
    "signal_closed": "positions closed",
    "signal_cancelled": "waiting signals dropped",
    "partial_profit": "profit levels",
    "partial_loss": "loss levels",
    "risk_refused": "refusals by risk",
    "error": "troubles",
    "exit": "ends",
}


@dataclass(slots=True)
class Digest:
    """Alerts summed up. `last` is the place of the newest; what is not above it counts no more."""

    last: Place = (0, 0)
    counts: Counter[AlertKind] = field(default_factory=Counter)
    newest: deque[tuple[Place, str]] = field(default_factory=lambda: deque(maxlen=NEWEST_SHOWN))
    notable: deque[tuple[Place, str]] = field(default_factory=lambda: deque(maxlen=NEWEST_SHOWN))
    first_ms: int = 0
    last_ms: int = 0
    won: int = 0
    pnl_percent: float = 0.0

    @property
    def total(self) -> int:
        """Return how many alerts it holds."""
        return self.counts.total()

    def add(self, alert: Alert) -> None:
        """Take `alert` into account, unless it was before: a delivery that failed comes again."""
        if alert.place <= self.last:
            return
        if not self.total:
            self.first_ms = alert.at_ms
        self.last, self.last_ms = alert.place, max(self.last_ms, alert.at_ms)
        self.counts[alert.kind] += 1
        # Levels come in dozens: they must not push out what was opened and closed.
        place = self.newest if alert.level == "info" else self.notable
        place.append((alert.place, short_words_of(alert)))
        pnl = alert.fields.get("pnl_percent")
        if alert.kind == "signal_closed" and isinstance(pnl, int | float):
            self.pnl_percent += pnl
            self.won += pnl > 0

    def words(self) -> Words:
        """Return how it reads."""
        title = f"📋 {self.total:,} alerts that you have not seen"
        span = f"{moment_text(self.first_ms)} to {moment_text(self.last_ms)} UTC"
        lines = [span]
        lines += [
            f"{noun}: {self.counts[kind]:,}{self._trades(kind)}"
            for kind, noun in _NOUNS.items()
            if self.counts[kind]
        ]
        room = NEWEST_SHOWN - len(self.notable)
        shown = sorted([*self.notable, *(list(self.newest)[-room:] if room else [])])
        lines.append("The newest that matter:" if self.total > len(shown) else "In order:")
        return Words(title, (*lines, *(text for _, text in shown)))

    def _trades(self, kind: AlertKind) -> str:
        if kind != "signal_closed":
            return ""
        return f", {self.won:,} won, {percent_text(self.pnl_percent)} added up"
