"""Whatever is given in whatever order: slots and open positions are the same thing."""

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from daemon.core.events import (
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
)
from daemon.core.orders import Order, fill_at_rule_price, order_due
from daemon.core.risk import RiskDesk, RiskProfile
from daemon.core.risk_limits import max_positions, max_positions_per_side
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import (
    Active,
    Cancel,
    Close,
    Filled,
    Given,
    Idle,
    Observation,
    Proposal,
    State,
    at_risk,
    row_of,
    tick,
)
from daemon.core.trader import Advance, Desk, RefusedSignal, advance, propose, undo
from daemon.core.validation import InvalidSignalError
from tests.core.samples import MINUTE, T0, a_moment, a_signal
from tests.laws.worlds import POSITIONS, PRICES, bars

KEYS = tuple(
    Key(exchange_name="sandbox", symbol=symbol, strategy_name=strategy)
    for symbol in ("BTC/USDT", "ETH/USDT")
    for strategy in ("A_B", "A")
)
PROFILES = (
    RiskProfile(risk_name="tight", validations=(max_positions(2),)),
    RiskProfile(risk_name="sides", validations=(max_positions_per_side(1),)),
)
LIMITS = {"tight": 2, "sides": 2}
NAMES = {KEYS[0]: ("tight",), KEYS[1]: ("tight", "sides"), KEYS[2]: ("sides",), KEYS[3]: ()}


@dataclass
class Task:
    """One key as a driver holds it."""

    desk: Desk
    state: State = field(default_factory=Idle)
    told: list[SignalTransition | RiskContract] = field(default_factory=list)


def nobody(_: Order) -> Filled | None:
    return None


class Desks(RuleBasedStateMachine):
    """Four tasks share one desk; saves fail, brokers are slow, people interfere."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = T0
        risk = RiskDesk(PROFILES)
        self.tasks = {
            key: Task(
                desk=Desk(
                    key=key,
                    rules=Rules(schedule_await_minutes=5),
                    risk=risk,
                    risk_names=NAMES[key],
                    broker=fill_at_rule_price,
                )
            )
            for key in KEYS
        }

    def take(self, key: Key, given: Given, *, is_saved: bool, is_slow: bool = False) -> Advance:
        task = self.tasks[key]
        desk = replace(task.desk, broker=nobody) if is_slow else task.desk
        after = advance(task.state, given, desk)
        if is_saved:
            task.state = after.state
            task.told += after.events
        else:
            undo(task.state, desk)
        return after

    @rule(
        key=st.sampled_from(KEYS),
        position=st.sampled_from(POSITIONS),
        price_open=st.none() | PRICES,
        price=PRICES,
        is_saved=st.booleans(),
        is_slow=st.booleans(),
    )
    def ask(
        self, key: Key, position: str, price_open: float | None, price: float, **how: bool
    ) -> None:
        self.now_ms += 1
        task = self.tasks[key]
        if not isinstance(task.state, Idle):
            return
        signal = a_signal("long" if position == "long" else "short", price_open)
        proposal = propose(signal, a_moment(price, at_ms=self.now_ms, key=key), task.desk)
        if isinstance(proposal, Proposal):
            self.take(key, proposal, **how)
        else:
            assert isinstance(proposal, RefusedSignal | InvalidSignalError)

    @rule(key=st.sampled_from(KEYS), price=PRICES, is_saved=st.booleans(), is_slow=st.booleans())
    def tick(self, key: Key, price: float, **how: bool) -> None:
        self.now_ms += 1
        self.take(key, tick(self.now_ms, price), **how)

    @rule(key=st.sampled_from(KEYS), bar=bars(), is_saved=st.booleans())
    def bar(self, key: Key, bar: Observation, is_saved: bool) -> None:
        self.now_ms += MINUTE
        self.take(key, replace(bar, at_ms=self.now_ms), is_saved=is_saved)
        self.now_ms += MINUTE

    @rule(key=st.sampled_from(KEYS), price=PRICES, is_saved=st.booleans())
    def close(self, key: Key, price: float, is_saved: bool) -> None:
        self.now_ms += 1
        self.take(key, Close(reason="user", at_ms=self.now_ms, price=price), is_saved=is_saved)

    @rule(key=st.sampled_from(KEYS), price=PRICES, is_saved=st.booleans())
    def cancel(self, key: Key, price: float, is_saved: bool) -> None:
        self.now_ms += 1
        self.take(key, Cancel(reason="stopped", at_ms=self.now_ms, price=price), is_saved=is_saved)

    @rule(key=st.sampled_from(KEYS), is_saved=st.booleans())
    def answer(self, key: Key, is_saved: bool) -> None:
        order = order_due(self.tasks[key].state)
        if order is not None:
            self.take(key, fill_at_rule_price(order), is_saved=is_saved)

    @rule()
    def restart(self) -> None:
        """All memory but the states is lost, and the desk is built anew from them."""
        risk = RiskDesk(PROFILES)
        for key, task in self.tasks.items():
            task.desk = replace(task.desk, risk=risk)
            if at_risk(task.state):
                risk.hold(task.desk.risk_names, key, row_of(task.state), self.now_ms)

    @invariant()
    def slots_are_positions(self) -> None:
        for name, limit in LIMITS.items():
            held = {
                Key(
                    exchange_name=item.exchange_name,
                    symbol=item.symbol,
                    strategy_name=item.strategy_name,
                ): item.signal
                for item in self.tasks[KEYS[0]].desk.risk.positions(name)
            }
            expected = {
                key: row_of(task.state)
                for key, task in self.tasks.items()
                if at_risk(task.state) and name in NAMES[key]
            }
            assert held == expected
            assert len(held) <= limit

    @invariant()
    def facts_are_well_formed(self) -> None:
        ids = [fact.id for task in self.tasks.values() for fact in task.told]
        assert len(set(ids)) == len(ids)
        for task in self.tasks.values():
            steps = [fact for fact in task.told if isinstance(fact, STEPS)]
            opened = 0
            for fact in steps:
                match fact:
                    case SignalOpened():
                        opened += 1
                        assert opened == 1
                    case SignalClosed():
                        opened -= 1
                        assert opened == 0
                    case _:
                        assert opened == 0
            assert opened >= int(isinstance(task.state, Active))


STEPS = (SignalScheduled, SignalOpened, SignalClosed, SignalCancelled)

TestDesks = Desks.TestCase
TestDesks.settings = settings(stateful_step_count=30)
