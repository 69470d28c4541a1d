"""Profiles refuse or allow; slots are held by positions, whatever foreign rules do."""

from collections.abc import Callable
from typing import cast

import pytest

from daemon.core.candles import DAY_MS
from daemon.core.risk import (
    ActivePosition,
    DayClose,
    RiskDesk,
    RiskPayload,
    RiskProfile,
    RiskRejectedError,
    RiskRequest,
    RiskValidation,
    TradeHistory,
    Verdict,
)
from daemon.core.risk_limits import max_positions
from daemon.core.signal import Key
from tests.core.samples import KEY, T0, a_row, a_signal

ETH = Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="breakout")
REQUEST = RiskRequest(key=KEY, pending_signal=a_signal(), current_price=100.0, timestamp=T0)


def allow(_: RiskPayload) -> None: ...


def a_profile(
    *rules: Callable[[RiskPayload], object], name: str = "calm", note: str = ""
) -> RiskProfile:
    validations = tuple(
        RiskValidation(validate=cast(Callable[[RiskPayload], Verdict], rule), note=note)
        for rule in rules
    )
    return RiskProfile(risk_name=name, validations=validations)


def returning(value: object) -> Callable[[RiskPayload], object]:
    return lambda _: value


def raising(error: BaseException) -> Callable[[RiskPayload], object]:
    def rule(_: RiskPayload) -> None:
        raise error

    return rule


async def _async_rule(_: RiskPayload) -> str:
    return "too late"


class Words(str):
    """A text of a subclass, which may answer anything."""

    __slots__ = ()

    def __len__(self) -> int:
        return 0

    def __getitem__(self, _: object) -> str:
        raise SystemExit


# -- What a rule may answer ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, True, ""])
def test_a_rule_allows(answer: object) -> None:
    assert RiskDesk([a_profile(returning(answer))]).check(["calm"], REQUEST) is None


@pytest.mark.parametrize(
    ("rule", "comment"),
    [
        (returning("too *risky*"), "too risky"),
        (returning(Words("no")), "no"),
        (returning(False), "the note"),
        (raising(RiskRejectedError("not today")), "not today"),
        (raising(RiskRejectedError()), "RiskRejectedError"),
        (returning("***"), "the note"),
        (returning("x" * 9999), "x" * 500),
        (returning("half \ud800"), "half \ufffd"),
    ],
)
def test_a_rule_refuses(rule: Callable[[RiskPayload], object], comment: str) -> None:
    refusal = RiskDesk([a_profile(rule, note="the note")]).check(["calm"], REQUEST)

    assert refusal is not None
    assert refusal.fault is None
    assert (refusal.risk_name, refusal.note) == ("calm", "the note")
    assert refusal.comment == comment


def test_a_refusal_without_any_words_is_told_all_the_same() -> None:
    refusal = RiskDesk([a_profile(returning(False))]).check(["calm"], REQUEST)

    assert refusal is not None
    assert (refusal.comment, refusal.note) == ("refused", "N/A")


@pytest.mark.parametrize(
    "error", [ValueError("broken"), SystemExit(), KeyboardInterrupt(), RecursionError()]
)
def test_a_broken_rule_refuses_and_is_a_fault(error: BaseException) -> None:
    refusal = RiskDesk([a_profile(raising(error))]).check(["calm"], REQUEST)

    assert refusal is not None
    assert refusal.fault is not None
    assert refusal.fault.cause is error
    assert refusal.comment in ("broken", type(error).__name__)


@pytest.mark.parametrize("answer", [0, 1, [], ["no"], {}, b"no", 0.0, object()])
def test_an_unclear_answer_refuses_and_is_a_fault(answer: object) -> None:
    """As numpy's False is: it looks like a refusal and is not False."""
    refusal = RiskDesk([a_profile(returning(answer))]).check(["calm"], REQUEST)

    assert refusal is not None
    assert refusal.fault is not None
    kind = type(answer).__name__
    assert refusal.comment == f"a risk validation must return None, a reason or a bool, not {kind}"


class Aloof(type):
    def __getattribute__(cls, name: str) -> object:
        raise SystemExit(name)


def test_an_answer_that_does_not_tell_its_name_is_unclear_too() -> None:
    # Made here: a test runner asks what it finds in a module.
    unclear = Aloof("Unclear", (), {})()

    refusal = RiskDesk([a_profile(returning(unclear))]).check(["calm"], REQUEST)

    assert refusal is not None
    assert refusal.comment.endswith("not Unclear")


def test_an_async_rule_refuses_and_its_coroutine_is_closed() -> None:
    """Registration refuses it; one that slips through must not allow everything in silence."""
    refusal = RiskDesk([a_profile(_async_rule)]).check(["calm"], REQUEST)

    assert refusal is not None
    assert refusal.fault is not None
    assert refusal.comment.endswith("not coroutine")


# -- Order, callbacks, several profiles ------------------------------------------------------------


def test_the_first_refusal_ends_the_check() -> None:
    asked: list[str] = []

    def rule(name: str, answer: str | None) -> Callable[[RiskPayload], str | None]:
        def validate(_: RiskPayload) -> str | None:
            asked.append(name)
            return answer

        return validate

    first = a_profile(rule("a", None), rule("b", "no"), rule("c", None), name="one")
    second = a_profile(rule("d", None), name="two")

    refusal = RiskDesk([second, first]).check(["one", "two"], REQUEST)

    assert refusal is not None
    assert refusal.risk_name == "one"
    assert asked == ["a", "b"]


def test_all_profiles_must_allow_in_the_order_that_the_strategy_names() -> None:
    desk = RiskDesk([a_profile(allow, name="one"), a_profile(returning("no"), name="two")])

    assert desk.check(["one"], REQUEST) is None
    assert desk.check([], REQUEST) is None
    refusal = desk.check(["one", "two"], REQUEST)
    assert refusal is not None
    assert refusal.risk_name == "two"


def test_callbacks_hear_of_their_own_profile() -> None:
    heard: list[tuple[str, str, int]] = []

    def hear(name: str) -> Callable[[str, RiskPayload], object]:
        return lambda symbol, payload: heard.append((name, symbol, payload.active_position_count))

    def callbacks(name: str, *rules: Callable[[RiskPayload], object]) -> RiskProfile:
        return RiskProfile(
            risk_name=name,
            validations=a_profile(*rules).validations,
            on_allowed=hear(f"{name} allowed"),
            on_rejected=hear(f"{name} rejected"),
        )

    desk = RiskDesk([callbacks("one", allow), callbacks("two", returning("no"))])
    desk.hold(["two"], ETH, a_row(key=ETH), T0)

    desk.check(["one", "two"], REQUEST)

    assert heard == [("one allowed", "BTC/USDT", 0), ("two rejected", "BTC/USDT", 1)]


async def _async_callback(_symbol: str, _payload: RiskPayload) -> None: ...


@pytest.mark.parametrize(
    ("callback", "error"), [(lambda *_: 1 / 0, "ZeroDivisionError"), (_async_callback, "TypeError")]
)
def test_a_broken_callback_changes_no_verdict_and_is_told(
    callback: Callable[[str, RiskPayload], object], error: str
) -> None:
    desk = RiskDesk(
        [RiskProfile(risk_name="calm", validations=(), on_allowed=callback, on_rejected=callback)]
    )

    assert desk.check(["calm"], REQUEST) is None

    (fault,) = desk.faults
    assert (fault.risk_name, fault.callback, fault.raised.error) == ("calm", "on_allowed", error)


def test_a_rule_sees_the_request_and_the_positions_of_its_profile() -> None:
    seen: list[RiskPayload] = []
    desk = RiskDesk([a_profile(seen.append), a_profile(allow, name="other")])
    desk.hold(["calm"], ETH, a_row(key=ETH), T0)
    desk.hold(["other"], KEY, a_row(), T0)
    history = TradeHistory(last_loss_at=5)
    desk.remember(["calm"], ETH, history)

    desk.check(["calm"], REQUEST)

    position = ActivePosition(
        signal=a_row(key=ETH),
        strategy_name="breakout",
        exchange_name="sandbox",
        symbol="ETH/USDT",
        open_timestamp=T0,
    )
    assert seen == [
        RiskPayload(
            symbol="BTC/USDT",
            pending_signal=REQUEST.pending_signal,
            strategy_name="breakout",
            exchange_name="sandbox",
            current_price=100.0,
            timestamp=T0,
            active_position_count=1,
            active_positions=(position,),
            trade_histories=(history,),
        )
    ]


# -- Slots -----------------------------------------------------------------------------------------


def test_a_profile_counts_across_all_symbols() -> None:
    profile = RiskProfile(risk_name="calm", validations=(max_positions(1),))
    desk = RiskDesk([profile])
    eth = RiskRequest(key=ETH, pending_signal=a_signal(), current_price=1.0, timestamp=T0)

    assert desk.reserve(["calm"], eth, a_row(key=ETH)) is None
    refusal = desk.reserve(["calm"], REQUEST, a_row())

    assert refusal is not None
    assert refusal.active_position_count == 1
    assert [item.symbol for item in desk.positions("calm")] == ["ETH/USDT"]


def test_a_check_takes_no_slot_and_a_refusal_leaves_none_in_any_profile() -> None:
    desk = RiskDesk([a_profile(allow, name="one"), a_profile(returning("no"), name="two")])

    desk.check(["one"], REQUEST)
    desk.reserve(["one", "two"], REQUEST, a_row())

    assert (desk.positions("one"), desk.positions("two")) == ((), ())


def test_a_slot_of_each_profile_is_taken_and_given_back() -> None:
    desk = RiskDesk([a_profile(allow, name="one"), a_profile(allow, name="two")])

    desk.reserve(["one", "two"], REQUEST, a_row())
    taken = [len(desk.positions(name)) for name in ("one", "two")]
    desk.release(["one", "two"], KEY)
    desk.release(["one", "two"], KEY)

    assert taken == [1, 1]
    assert [len(desk.positions(name)) for name in ("one", "two")] == [0, 0]


def test_a_key_whose_state_is_not_trusted_holds_a_slot_without_a_signal() -> None:
    desk = RiskDesk([a_profile(allow)])

    desk.hold(["calm", "gone from the configuration"], KEY, None, T0)
    desk.release(["gone from the configuration"], ETH)
    desk.remember(["gone from the configuration"], ETH, TradeHistory())

    (position,) = desk.positions("calm")
    assert position.signal is None
    assert position.open_timestamp == T0
    assert list(desk.profiles) == ["calm"]


# -- What is remembered ----------------------------------------------------------------------------


def test_a_history_holds_the_closes_of_one_day_and_the_last_loss() -> None:
    day = T0 // DAY_MS * DAY_MS
    closes = [
        DayClose(at_ms=day - 1, pnl_percentage=-1.0),
        DayClose(at_ms=day, pnl_percentage=-2.0),
        DayClose(at_ms=day + 5, pnl_percentage=0.0),
        DayClose(at_ms=day + DAY_MS - 1, pnl_percentage=3.0),
    ]

    history = TradeHistory()
    for close in closes:
        history = history.with_close(close)

    assert history == TradeHistory(closes=tuple(closes[1:]), last_loss_at=day)
