"""Small inputs for the tests of the rules: each helper names only what matters to its caller."""

from dataclasses import replace

from daemon.core.orders import fill_at_rule_price
from daemon.core.pnl import Position
from daemon.core.risk import RiskDesk, RiskProfile
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal, SignalRow, make_id
from daemon.core.states import Active, Observation, Scheduled
from daemon.core.trader import Desk
from daemon.core.validation import InvalidSignalError, Moment, make_row, read_signal

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="breakout")
RULES = Rules()
WORST = replace(RULES, intrabar="worst_case")
T0 = 1_700_000_400_000
"""2023-11-14 22:20:00 UTC: a turn of the minute, of five and of twenty."""

MINUTE = 60_000


def a_signal(position: Position = "long", price_open: float | None = None) -> Signal:
    """From 100: the target 2 % and the stop 1 % away, for an hour."""
    is_long = position == "long"
    return Signal(
        position=position,
        price_open=price_open,
        price_take_profit=102.0 if is_long else 98.0,
        price_stop_loss=99.0 if is_long else 101.0,
        minute_estimated_time=60,
    )


def a_row(position: Position = "long", *, at_ms: int = T0, key: Key = KEY) -> SignalRow:
    """Entered at 100 at `at_ms`: the target 2 % and the stop 1 % away, for an hour."""
    is_long = position == "long"
    return SignalRow(
        id=make_id("signal", key, at_ms),
        label="",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position=position,
        price_open=100.0,
        price_take_profit=102.0 if is_long else 98.0,
        price_stop_loss=99.0 if is_long else 101.0,
        minute_estimated_time=60,
        note="",
        scheduled_at=at_ms,
        pending_at=at_ms,
        is_scheduled=False,
    )


def a_scheduled(position: Position = "long", *, at_ms: int = T0) -> Scheduled:
    return Scheduled(signal=replace(a_row(position, at_ms=at_ms), is_scheduled=True))


def an_active(position: Position = "long", *, at_ms: int = T0) -> Active:
    return Active(signal=a_row(position, at_ms=at_ms))


def a_bar(
    at_ms: int = T0,
    *,
    low: float = 99.8,
    high: float = 100.2,
    price: float = 100.0,
    price_start: float = 100.0,
) -> Observation:
    return Observation(
        at_ms=at_ms, span_ms=MINUTE, price_start=price_start, price=price, low=low, high=high
    )


def a_moment(price: float = 100.0, *, at_ms: int = T0, key: Key = KEY) -> Moment:
    return Moment(key=key, at_ms=at_ms, price=price)


def a_desk(*profiles: RiskProfile, rules: Rules = RULES, key: Key = KEY) -> Desk:
    """A desk with the virtual broker, that asks all `profiles`."""
    names = tuple(profile.risk_name for profile in profiles)
    return Desk(
        key=key,
        rules=rules,
        risk=RiskDesk(profiles),
        risk_names=names,
        broker=fill_at_rule_price,
    )


def validated(returned: object, price: float = 100.0, rules: Rules = RULES) -> SignalRow:
    return make_row(read_signal(returned), a_moment(price), rules)


def faults_of(returned: object, price: float = 100.0, rules: Rules = RULES) -> tuple[str, ...]:
    try:
        validated(returned, price, rules)
    except InvalidSignalError as error:
        return error.faults
    return ()


def a_mapping(**changes: object) -> dict[str, object]:
    sound: dict[str, object] = {
        "position": "long",
        "price_take_profit": 102.0,
        "price_stop_loss": 99.0,
        "minute_estimated_time": 60,
    }
    return sound | changes
