"""Wiring: the one place where rules, drivers and the world meet."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from daemon.app.config.sections import StrategySection
from daemon.app.config.settings import Config
from daemon.app.loading import Code, make_strategy
from daemon.app.status import Gauged, Identity, LiveStatus
from daemon.app.version import tickd_version
from daemon.app.world import World
from daemon.core.guard import Raised
from daemon.core.orders import fill_at_rule_price
from daemon.core.params import Params
from daemon.core.records import RunEntry
from daemon.core.redaction import Redactor
from daemon.core.risk import RiskDesk
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.core.subjects import Subjects
from daemon.core.trader import Desk
from daemon.live.alerts import AlertPump
from daemon.live.asking import Patience
from daemon.live.caretaker import Caretaker
from daemon.live.clock_watch import Alarm, ClockWatch
from daemon.live.containment import Containment, Limits
from daemon.live.crew import Crew, Pace
from daemon.live.fanout import Fanout
from daemon.live.feed import MarketFeed
from daemon.live.followers import Followers
from daemon.live.hang_guard import HangGuard
from daemon.live.health import Health
from daemon.live.holdings import HoldingsWatch
from daemon.live.loop_monitor import LoopMonitor
from daemon.live.measured import MeasuredJournal, MeasuredMarketData
from daemon.live.minutes import MinuteLog
from daemon.live.pace import FeedPace
from daemon.live.recovery import Recovery
from daemon.live.staff import Endurance, Plan, Staff
from daemon.live.supervisor import Supervisor
from daemon.live.symbol_feed import OnMinute
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.live.workers import Workers
from daemon.ports import AlertSink, Meter, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where a daemon tells what happens: emitters, sinks, measurements, alerts.

    `minute_listeners` hear of each final one-minute candle of each symbol.
    """

    subjects: Subjects
    meter: Meter
    sinks: tuple[Sink, ...] = ()
    alert_sinks: tuple[AlertSink, ...] = ()
    redactor: Redactor = field(default_factory=Redactor)
    minute_listeners: tuple[OnMinute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """Everything wired and nothing running yet: call `run` once."""

    supervisor: Supervisor
    status: LiveStatus
    world: World
    holdings: HoldingsWatch
    containment: Containment
    fanout: Fanout
    health: Health
    risk: RiskDesk
    report: Callable[[str, Raised | str], None]
    """Tells of a trouble of the daemon as a whole: where, and what."""
    clock_watch: ClockWatch | None = None

    async def run(self) -> None:
        """Run until `stop`. Raises what the operator must mend."""
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self.holdings.run(), name="holdings")]
            if self.world.keep is not None:
                beside.append(group.create_task(_as_coroutine(self.world.keep())))
            if self.clock_watch is not None:
                beside.append(group.create_task(self.clock_watch.run(), name="clock"))
            await self.supervisor.run()
            for task in beside:
                task.cancel()

    def stop(self) -> None:
        """Begin the graceful stop."""
        self.supervisor.stop()


def assemble(
    config: Config, code: Code, world: World, outlets: Outlets, workers: Workers
) -> Daemon:
    """Return the daemon of `config` in `world`; a loop must be running."""
    return _Builder(config, code, world, outlets, workers).daemon(plans_of(config, code))


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def plans_of(config: Config, code: Code) -> tuple[Plan, ...]:
    """Return one plan per (symbol, strategy) of the configuration."""
    return tuple(
        Plan(
            key=Key(exchange_name=config.exchange.id, symbol=symbol, strategy_name=section.name),
            make=_maker(section, code),
            risk_names=_risk_names(section, code),
            fault=code.unloaded.get(section.name, ""),
        )
        for section in config.strategies
        for symbol in section.symbols
    )


def _maker(section: StrategySection, code: Code) -> Callable[[], Strategy]:
    if section.name in code.unloaded:
        return Caretaker
    return partial(_make, code.strategies[section.name], section)


def _make(strategy: type[Strategy], section: StrategySection) -> Strategy:
    made = make_strategy(strategy)
    made.params = Params(strategy.params, section.params)
    if section.interval is not None:
        # The class says how often; one instance may be asked otherwise.
        made.__dict__["interval"] = section.interval
    return made


def _risk_names(section: StrategySection, code: Code) -> tuple[str, ...]:
    strategy = code.strategies.get(section.name)
    if strategy is None:
        return ()
    own = (strategy.risk_name,) if strategy.risk_name else ()
    return tuple(dict.fromkeys((*section.risk, *own, *strategy.risk_list)))


class _Builder:
    """Makes the parts of one daemon, each once; a loop must be running."""

    def __init__(
        self, config: Config, code: Code, world: World, outlets: Outlets, workers: Workers
    ) -> None:
        settings = config.daemon
        self._config = config
        self._outlets = outlets
        self._risk = RiskDesk(code.profiles, redact=outlets.redactor.redact)
        self._workers = workers
        self._containment = Containment(
            workers,
            Limits(
                stretch_s=settings.strategy_stretch_max_ms / 1000,
                answer_s=config.rules.max_signal_generation_seconds,
                callback_s=settings.strategy_callback_timeout_s,
            ),
        )
        self._containment.marks = world.hangs
        self._health = Health()
        self._fanout = Fanout(
            outlets.subjects, outlets.sinks, self._report, guard=self._containment
        )
        self._timings = Timings(
            outlets.meter, world.clock, outlets.subjects.performance, self._fanout.announce
        )
        self._world = world = self._measured(world)
        self._troubles = Troubles(
            world.clock, world.journal, self._fanout.announce, outlets.redactor.redact
        )
        self._monitor = LoopMonitor(
            outlets.meter, self._containment, partial(self._report_text, "event_loop")
        )
        self._alerts = tuple(
            AlertPump(sink, world.journal, world.cursors, self._report)
            for sink in outlets.alert_sinks
        )
        self._market_feed: MarketFeed | None = None
        self._clock_watch = self._watch_of(world)

    def _measured(self, world: World) -> World:
        data = MeasuredMarketData(world.data, self._timings, self._config.exchange.id)
        journal = MeasuredJournal(world.journal, self._outlets.meter)
        return replace(world, data=data, journal=journal)

    def daemon(self, plans: Sequence[Plan]) -> Daemon:
        """Return the daemon that runs `plans`."""
        supervisor = self._supervisor(plans)
        holdings = HoldingsWatch(
            supervisor.slots.values,
            self._workers,
            partial(self._troubles.report, "growth"),
        )
        identity = Identity(
            version=tickd_version(),
            exchange=self._config.exchange.id,
            mode=self._config.daemon.mode,
        )
        parts = Gauged(
            clock=self._world.clock,
            fanout=self._fanout,
            health=self._health,
            monitor=self._monitor,
            supervisor=supervisor,
            holdings=holdings,
            alerts=self._alerts,
        )
        return Daemon(
            supervisor=supervisor,
            status=LiveStatus(identity, parts),
            world=self._world,
            holdings=holdings,
            containment=self._containment,
            fanout=self._fanout,
            health=self._health,
            risk=self._risk,
            report=self._report_text,
            clock_watch=self._clock_watch,
        )

    def _watch_of(self, world: World) -> ClockWatch | None:
        if world.checked_clock is None:
            return None
        return ClockWatch(
            world.checked_clock,
            world.data,
            Alarm(
                doubt=self._doubt,
                report=partial(self._report_text, "clock"),
                meter=self._outlets.meter,
            ),
            skew_ms_max=self._config.exchange.clock_skew_max_ms,
        )

    def _doubt(self, reason: str) -> None:
        if self._market_feed is not None:
            self._market_feed.doubt(reason)

    async def _connect(self) -> None:
        """Reach the exchange, and take its time before anything is decided by ours."""
        await self._world.connect()
        if self._clock_watch is not None:
            await self._clock_watch.agree()

    def _supervisor(self, plans: Sequence[Plan]) -> Supervisor:
        """Return the supervisor of `plans` with its whole staff."""
        config, world = self._config, self._world
        minutes = MinuteLog(world.journal)
        followers = Followers(
            world.state,
            self._risk,
            lambda: (keeper.held for keeper in supervisor.keepers.values()),
        )
        staff = Staff(
            crew=self._crew(),
            make_feed=partial(self._feed, minutes),
            connect=self._connect,
            recovery=Recovery(
                world.state,
                world.journal,
                world.clock,
                {plan.key: plan.risk_names for plan in plans},
                self._risk,
            ),
            rules=config.rules,
            desk_of=self._desk_of,
            store=world.state,
            journal=world.journal,
            followers=followers,
            minutes=minutes,
            monitor=self._monitor,
            run_entry=RunEntry(
                version=tickd_version(), config_hash=config.fingerprint, at_ms=world.clock.now_ms()
            ),
            alerts=self._alerts,
            endurance=Endurance(
                restarts_in_row_max=config.daemon.failures_in_a_row_max,
                pause_s_max=config.daemon.backoff_max_s,
                stop_s=config.daemon.stop_timeout_s,
            ),
        )
        supervisor = Supervisor(plans, staff)
        return supervisor

    def _crew(self) -> Crew:
        config, settings = self._config, self._config.daemon
        return Crew(
            clock=self._world.clock,
            containment=self._containment,
            fanout=self._fanout,
            health=self._health,
            timings=self._timings,
            meter=self._outlets.meter,
            troubles=self._troubles,
            hang_guard=HangGuard(self._world.hangs, settings.strategy_hangs_max),
            pace=Pace(
                tick_interval_s=settings.tick_interval_ms / 1000,
                tick_quiet_s=settings.tick_quiet_max_ms / 1000,
            ),
            patience=Patience(
                failures_in_row_max=settings.failures_in_a_row_max,
                circuit_reset_s=settings.backoff_max_s,
                leaked_threads_max=settings.strategy_threads_leaked_max,
                final_s=FeedPace.of(config.rules, self._world.clock.speed).final_s,
            ),
        )

    def _feed(self, minutes: MinuteLog, symbols: Sequence[str]) -> MarketFeed:
        feed = MarketFeed(
            self._world.data,
            self._world.clock,
            self._config.rules,
            symbols=symbols,
            report=self._report_feed,
        )
        for hear in (minutes.add, *self._outlets.minute_listeners):
            feed.on_minute(hear)
        self._market_feed = feed
        return feed

    def _desk_of(self, key: Key, risk_names: tuple[str, ...]) -> Desk:
        return Desk(
            key=key,
            rules=self._config.rules,
            risk=self._risk,
            risk_names=risk_names,
            broker=fill_at_rule_price,
            redact=self._outlets.redactor.redact,
        )

    def _key(self, symbol: str = "") -> Key:
        return Key(exchange_name=self._config.exchange.id, symbol=symbol, strategy_name="")

    def _report(self, where: str, raised: Raised) -> None:
        self._troubles.report(where, self._key(), raised)

    def _report_text(self, where: str, text: Raised | str) -> None:
        self._troubles.report(where, self._key(), text)

    def _report_feed(self, where: str, error: Exception, symbol: str) -> None:
        self._troubles.report(where, self._key(symbol), error)
