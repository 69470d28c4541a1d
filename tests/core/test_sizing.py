"""How much to trade: each method by hand, the limits in their order, and named errors."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import Candle, Candles
from daemon.core.sizing import (
    AtrBased,
    AtrBasedParams,
    FixedPercentage,
    FixedPercentageParams,
    KellyCriterion,
    KellyCriterionParams,
    SizingError,
    SizingParams,
    SizingSchema,
    average_true_range,
    kelly_fraction,
    method_name,
    position_size,
)

FIXED = FixedPercentageParams(balance=10_000.0, price_open=100.0, price_stop_loss=98.0)
KELLY = KellyCriterionParams(balance=10_000.0, price_open=100.0, win_rate=0.6, win_loss_ratio=2.0)
ATR = AtrBasedParams(balance=10_000.0, price_open=100.0, atr=2.5)

ONE_PERCENT = FixedPercentage(risk_percentage=1.0)
PRICES = st.floats(1e-6, 1e6)


def a_sizing(method: FixedPercentage | KellyCriterion | AtrBased = ONE_PERCENT) -> SizingSchema:
    return SizingSchema(sizing_name="mine", method=method)


def quantity_within(
    *, percent: float | None = None, low: float | None = None, high: float | None = None
) -> float:
    sizing = SizingSchema(
        sizing_name="mine",
        method=ONE_PERCENT,
        max_position_percentage=percent,
        min_position_size=low,
        max_position_size=high,
    )
    return position_size(sizing, FIXED).quantity


@pytest.mark.parametrize(
    ("method", "params", "quantity"),
    [
        # 1 % of 10,000 over a stop 2 away.
        (ONE_PERCENT, FIXED, 50.0),
        # (0.6 * 2 - 0.4) / 2 = 0.4; a quarter of it is 10 % of the balance.
        (KellyCriterion(), KELLY, 10.0),
        (KellyCriterion(kelly_multiplier=1.0), KELLY, 40.0),
        # 1 % of 10,000 over two ranges of 2.5.
        (AtrBased(risk_percentage=1.0), ATR, 20.0),
        (AtrBased(risk_percentage=1.0, atr_multiplier=4.0), ATR, 10.0),
    ],
)
def test_each_method_by_hand(
    method: FixedPercentage | KellyCriterion | AtrBased, params: SizingParams, quantity: float
) -> None:
    assert position_size(a_sizing(method), params).quantity == pytest.approx(quantity)


def test_a_short_risks_the_same_distance() -> None:
    short = FixedPercentageParams(balance=10_000.0, price_open=100.0, price_stop_loss=102.0)

    assert position_size(a_sizing(), short).quantity == 50.0


def test_the_limits_and_their_order() -> None:
    assert quantity_within(percent=20.0) == 20.0
    assert quantity_within(low=60.0) == 60.0
    assert quantity_within(high=40.0) == 40.0
    assert quantity_within(percent=20.0, low=30.0) == 30.0
    assert quantity_within(percent=20.0, low=30.0, high=30.0) == 30.0
    assert quantity_within(percent=90.0, low=10.0, high=70.0) == 50.0


def test_without_an_edge_kelly_stakes_nothing() -> None:
    assert kelly_fraction(0.5, 1.0) == 0.0
    assert kelly_fraction(0.3, 1.0) == 0.0
    assert kelly_fraction(0.6, 1.0) == pytest.approx(0.2)


@given(st.floats(0.01, 0.99), st.floats(0.01, 100))
def test_a_kelly_fraction_is_a_share(win_rate: float, win_loss_ratio: float) -> None:
    assert 0 <= kelly_fraction(win_rate, win_loss_ratio) <= win_rate


@given(PRICES, PRICES, st.floats(1, 1e9), st.floats(0.01, 100))
def test_a_fixed_percentage_loses_just_that_at_the_stop(
    price_open: float, price_stop_loss: float, balance: float, risk: float
) -> None:
    distance = abs(price_open - price_stop_loss)
    if distance == 0:
        return
    params = FixedPercentageParams(
        balance=balance, price_open=price_open, price_stop_loss=price_stop_loss
    )

    sized = position_size(a_sizing(FixedPercentage(risk_percentage=risk)), params)

    assert sized.quantity * distance == pytest.approx(balance * risk / 100)


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        (ONE_PERCENT, KELLY, "'mine' is fixed-percentage: it was given KellyCriterionParams"),
        (KellyCriterion(), ATR, "'mine' is kelly-criterion: it was given AtrBasedParams"),
        (
            ONE_PERCENT,
            FixedPercentageParams(balance=1.0, price_open=9.0, price_stop_loss=9.0),
            "price_stop_loss is price_open",
        ),
        (
            ONE_PERCENT,
            FixedPercentageParams(balance=-1.0, price_open=math.nan, price_stop_loss=9.0),
            "balance must be a positive number, not -1.0; price_open must be",
        ),
        (
            KellyCriterion(),
            KellyCriterionParams(balance=1.0, price_open=1.0, win_rate=1.0, win_loss_ratio=0.0),
            "win_loss_ratio must be a positive number, not 0.0; win_rate must be between 0 and 1",
        ),
        (
            AtrBased(risk_percentage=1.0),
            AtrBasedParams(balance=1.0, price_open=1.0, atr=0.0),
            "atr must be a positive number, not 0.0",
        ),
        (
            AtrBased(risk_percentage=1.0),
            AtrBasedParams(balance=1e308, price_open=1.0, atr=5e-324),
            "beyond all numbers",
        ),
    ],
)
def test_what_makes_no_sense_is_named(
    method: FixedPercentage | KellyCriterion | AtrBased, params: SizingParams, message: str
) -> None:
    with pytest.raises(SizingError, match=message):
        position_size(a_sizing(method), params)


def test_a_schema_tells_all_its_faults_at_once() -> None:
    with pytest.raises(SizingError) as caught:
        SizingSchema(
            sizing_name="mine",
            method=AtrBased(risk_percentage=0.0, atr_multiplier=math.inf),
            max_position_percentage=True,
            max_position_size=-1.0,
        )

    text = str(caught.value)
    assert text.startswith("sizing 'mine': ")
    for name in ("risk_percentage", "atr_multiplier", "max_position_percentage"):
        assert f"{name} must be a positive number" in text
    assert "max_position_size must be a positive number, not -1.0" in text


def test_a_minimum_above_the_maximum_is_refused() -> None:
    with pytest.raises(SizingError, match=r"min_position_size 2\.0 is above max_position_size 1"):
        quantity_within(low=2.0, high=1.0)


def test_the_callback_hears_the_limited_quantity() -> None:
    heard: list[tuple[float, SizingParams]] = []

    def note(quantity: float, params: SizingParams) -> None:
        heard.append((quantity, params))

    sizing = SizingSchema(
        sizing_name="mine", method=ONE_PERCENT, max_position_size=7.0, on_calculate=note
    )

    sized = position_size(sizing, FIXED)

    assert (sized.quantity, sized.callback_fault) == (7.0, None)
    assert heard == [(7.0, FIXED)]


def test_a_callback_that_raises_changes_no_quantity() -> None:
    def fail(quantity: float, params: SizingParams) -> None:
        raise KeyError("mine")

    sized = position_size(
        SizingSchema(sizing_name="mine", method=ONE_PERCENT, on_calculate=fail), FIXED
    )

    assert sized.quantity == 50.0
    assert sized.callback_fault is not None
    assert sized.callback_fault.error == "KeyError"


def test_methods_bear_the_seeds_names() -> None:
    methods = (ONE_PERCENT, KellyCriterion(), AtrBased(risk_percentage=1.0))

    names = [method_name(a_sizing(method)) for method in methods]

    assert names == ["fixed-percentage", "kelly-criterion", "atr-based"]


def candles(*rows: tuple[float, float, float]) -> Candles:
    """Rows of high, low and close, a minute apart."""
    return Candles.of(
        [
            Candle(60_000 * place, close, high, low, close, 1.0)
            for place, (high, low, close) in enumerate(rows)
        ]
    )


def test_an_average_true_range_by_hand() -> None:
    """True ranges 3 (a gap up), 2 and 4 (a gap down): mean of two, then a half of the third."""
    market = candles((11, 9, 10), (13, 12, 12), (13, 11, 12), (10, 8, 9))

    assert average_true_range(market, 1) == 4.0
    assert average_true_range(market, 2) == (2.5 + 4) / 2
    assert average_true_range(market, 3) == 3.0


def test_too_few_candles_have_no_average_true_range() -> None:
    market = candles((11, 9, 10), (13, 12, 12))

    assert average_true_range(market, 1) == 3.0
    assert average_true_range(market, 2) is None
    assert average_true_range(candles()) is None


def test_a_period_below_one_is_refused() -> None:
    with pytest.raises(SizingError, match="must be at least 1, not 0"):
        average_true_range(candles((2, 1, 1)), 0)


@given(
    st.lists(st.tuples(PRICES, PRICES, PRICES), min_size=2, max_size=30),
    st.integers(1, 10),
)
def test_an_average_true_range_lies_among_the_true_ranges(
    rows: list[tuple[float, float, float]], period: int
) -> None:
    market = candles(*((max(row), min(row), sorted(row)[1]) for row in rows))
    ranges = [
        max(now.high - now.low, abs(now.high - last.close), abs(now.low - last.close))
        for last, now in pairwise(market)
    ]

    found = average_true_range(market, period)

    assert (found is None) == (len(market) <= period)
    if found is not None:
        assert min(ranges) * (1 - 1e-9) <= found <= max(ranges) * (1 + 1e-9)
