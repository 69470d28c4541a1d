"""What the journal of a state folder tells of its strategies: statistics and reports."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.candles import INTERVAL_MS, Candle, merge
from daemon.core.events import ErrorContract, SignalClosed, Transition
from daemon.core.heatmap import HeatmapCollector
from daemon.core.live_statistics import (
    LiveCollector,
    PartialCollector,
    RiskCollector,
    ScheduleCollector,
)
from daemon.core.records import CandleEntry, Journaled, TransitionEntry
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.wording import moment_text
from daemon.reports.as_json import Json, as_json
from daemon.reports.heat import render_heat
from daemon.reports.html.sheets import Bars, LaneSheet, RunSheet
from daemon.reports.live import render_live
from daemon.reports.partial import render_partial
from daemon.reports.places import report_path
from daemon.reports.risk import render_risk
from daemon.reports.schedule import render_schedule

BARS_MAX = 2_500
"""More candles than this are not told apart on a screen."""


@dataclass(slots=True)
class OfStrategy:
    """What one strategy did on all its symbols."""

    live: LiveCollector = field(default_factory=LiveCollector)
    schedule: ScheduleCollector = field(default_factory=ScheduleCollector)
    heat: HeatmapCollector = field(default_factory=HeatmapCollector)

    def add(self, event: Transition) -> None:
        """Take `event` into account."""
        for collector in (self.live, self.schedule, self.heat):
            collector.add(event)


@dataclass(slots=True)
class OfKey:
    """What one strategy did on one symbol; `closed` are oldest first."""

    live: LiveCollector = field(default_factory=LiveCollector)
    schedule: ScheduleCollector = field(default_factory=ScheduleCollector)
    partial: PartialCollector = field(default_factory=PartialCollector)
    risk: RiskCollector = field(default_factory=RiskCollector)
    closed: list[SignalClosed] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, event: Transition) -> None:
        """Take `event` into account."""
        for collector in (self.live, self.schedule, self.partial, self.risk):
            collector.add(event)
        if isinstance(event, SignalClosed):
            self.closed.append(event)
        elif isinstance(event, ErrorContract):
            self.errors[event.where] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which events count: of these strategies and symbols (none: all), in this time (epoch ms)."""

    strategies: Sequence[str] = ()
    symbols: Sequence[str] = ()
    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, key: Key, at_ms: int) -> bool:
        """Say whether an event counts."""
        return (
            (not self.strategies or key.strategy_name in self.strategies)
            and (not self.symbols or key.symbol in self.symbols)
            and self.holds_time(at_ms)
        )

    def holds_time(self, at_ms: int) -> bool:
        """Say whether a moment counts."""
        if self.start_ms is not None and at_ms < self.start_ms:
            return False
        return self.end_ms is None or at_ms < self.end_ms


@dataclass(slots=True)
class JournalReport:
    """Everything that a journal tells within a scope."""

    strategies: dict[str, OfStrategy] = field(default_factory=dict)
    keys: dict[Key, OfKey] = field(default_factory=dict)
    candles: dict[str, list[Candle]] = field(default_factory=dict)
    first_ms: int | None = None
    last_ms: int = 0

    @property
    def is_empty(self) -> bool:
        """Say whether nothing happened at all."""
        return not self.keys

    def add(self, event: Transition) -> None:
        """Take `event` into account."""
        key = event.key
        self.strategies.setdefault(key.strategy_name, OfStrategy()).add(event)
        self.keys.setdefault(key, OfKey()).add(event)
        if self.first_ms is None:
            self.first_ms = event.at_ms
        self.last_ms = max(self.last_ms, event.at_ms)


def gather_journal(
    entries: Iterable[Journaled], scope: Scope, *, with_candles: bool
) -> JournalReport:
    """Return what `entries` tell within `scope`; candles only where they will be drawn."""
    report = JournalReport()
    for journaled in entries:
        entry = journaled.entry
        if isinstance(entry, TransitionEntry):
            for event in entry.events:
                # Troubles of the whole daemon belong to no strategy.
                if event.key.strategy_name and scope.holds(event.key, event.at_ms):
                    report.add(event)
        elif isinstance(entry, CandleEntry) and with_candles:
            if not scope.holds_time(entry.candle.timestamp):
                continue
            report.candles.setdefault(entry.symbol, []).append(entry.candle)
    return report


def report_record(report: JournalReport) -> Mapping[str, Json]:
    """Return all statistics as plain values."""
    return {
        "live": {n: as_json(s.live.statistics()) for n, s in _by_name(report)},
        "schedule": {n: as_json(s.schedule.statistics()) for n, s in _by_name(report)},
        "heatmap": {n: as_json(s.heat.statistics()) for n, s in _by_name(report)},
        "partial": {str(k): as_json(s.partial.statistics()) for k, s in by_key(report)},
        "risk": {str(k): as_json(s.risk.statistics()) for k, s in by_key(report)},
        "errors": {str(k): as_json(dict(sorted(s.errors.items()))) for k, s in by_key(report)},
    }


def report_files(report: JournalReport, *, with_notes: bool) -> Iterator[tuple[str, str]]:
    """Yield the relative place and the text of every Markdown report."""
    for name, of_strategy in _by_name(report):
        live = render_live(of_strategy.live.statistics(), name, show_signal_note=with_notes)
        yield report_path("live", name), live
        waited = of_strategy.schedule.statistics()
        yield (
            report_path("schedule", name),
            render_schedule(waited, name, show_signal_note=with_notes),
        )
        yield report_path("heatmap", name), render_heat(of_strategy.heat.statistics(), name)
    for key, of_key in by_key(report):
        symbol, name = key.symbol, key.strategy_name
        levels = of_key.partial.statistics()
        yield report_path("partial", name, symbol=symbol), render_partial(levels, symbol, name)
        refused = of_key.risk.statistics()
        yield (
            report_path("risk", name, symbol=symbol),
            render_risk(refused, symbol, name, show_signal_note=with_notes),
        )


def page_of_journal(report: JournalReport, rules: Rules, source: str) -> RunSheet:
    """Return the page of everything that closed; `source` says where it was read."""
    start_ms, end_ms = report.first_ms or 0, report.last_ms
    names = ", ".join(name for name, _ in _by_name(report))
    return RunSheet(
        title=f"Live: {names}",
        subtitle=f"{moment_text(start_ms)} to {moment_text(end_ms)} UTC",
        start_ms=start_ms,
        end_ms=end_ms,
        rules=rules,
        lanes=[_lane(report, key, of_key, source) for key, of_key in by_key(report)],
        remarks=["What costs took is told by the rules of the present configuration."],
    )


def by_key(report: JournalReport) -> list[tuple[Key, OfKey]]:
    """Return what each (symbol, strategy) did, by name."""
    return sorted(report.keys.items(), key=lambda item: (item[0].strategy_name, item[0].symbol))


def _by_name(report: JournalReport) -> list[tuple[str, OfStrategy]]:
    return sorted(report.strategies.items())


def _lane(report: JournalReport, key: Key, of_key: OfKey, source: str) -> LaneSheet:
    waited, refused = of_key.schedule.statistics(), of_key.risk.statistics()
    levels = of_key.partial.statistics()
    return LaneSheet(
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        figures=of_key.live.statistics(),
        trades=of_key.closed,
        trades_total=len(of_key.closed),
        counts=[
            ("Scheduled", f"{waited.total_scheduled:,}"),
            ("Reached their entry", f"{waited.total_opened:,}"),
            ("Cancelled", f"{waited.total_cancelled:,}"),
            ("Refused by risk", f"{refused.total_rejections:,}"),
            ("Levels in profit", f"{levels.total_profit:,}"),
            ("Levels in loss", f"{levels.total_loss:,}"),
            ("Errors", f"{of_key.errors.total():,}"),
        ],
        data=[("Journal", source), ("Exchange", key.exchange_name)],
        bars=bars_of_candles(report.candles.get(key.symbol, ())),
    )


def bars_of_candles(candles: Sequence[Candle]) -> Bars | None:
    """Return minute candles, oldest first, as wide ones that can be looked at; None without any.

    Where minutes are missing (the daemon was down) the wide candle is made of those that are there.
    """
    if not candles:
        return None
    length_ms = candles[-1].timestamp - candles[0].timestamp
    interval, width_ms = next(
        (item for item in INTERVAL_MS.items() if length_ms / item[1] <= BARS_MAX),
        ("1d", INTERVAL_MS["1d"]),
    )
    groups: dict[int, list[Candle]] = {}
    for candle in candles:
        groups.setdefault(candle.timestamp // width_ms * width_ms, []).append(candle)
    wide = [merge(rows, at_ms) for at_ms, rows in sorted(groups.items())]
    return Bars(
        interval=interval,
        at_ms=[candle.timestamp for candle in wide],
        open=[candle.open for candle in wide],
        high=[candle.high for candle in wide],
        low=[candle.low for candle in wide],
        close=[candle.close for candle in wide],
    )
