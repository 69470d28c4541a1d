"""A signal either may trade or is refused with every reason at once, whatever was returned."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest

from daemon.core.validation import InvalidSignalError, read_signal
from tests.core.samples import KEY, RULES, T0, a_mapping, a_signal, faults_of, validated

# -- What becomes of a sound signal ----------------------------------------------------------------


def test_an_immediate_signal_opens_at_the_current_price() -> None:
    row = validated(a_signal(), price=100.5)

    assert (row.price_open, row.is_scheduled) == (100.5, False)
    assert (row.scheduled_at, row.pending_at) == (T0, T0)
    assert row.key == KEY


@pytest.mark.parametrize(
    ("position", "price_open", "price", "is_scheduled"),
    [
        ("long", 100.0, 100.5, True),
        ("long", 100.0, 100.0, False),
        ("long", 100.0, 99.5, False),
        ("short", 100.0, 99.5, True),
        ("short", 100.0, 100.0, False),
        ("short", 100.0, 100.5, False),
    ],
)
def test_an_entry_price_waits_unless_it_is_reached(
    position: str, price_open: float, price: float, is_scheduled: bool
) -> None:
    signal = a_signal("long" if position == "long" else "short", price_open)

    row = validated(signal, price)

    assert row.is_scheduled is is_scheduled
    assert row.price_open == price_open


def test_words_are_flattened_and_an_id_is_a_label() -> None:
    row = validated(a_mapping(note="**Buy** \ud800\nnow", id="mine"))

    assert (row.note, row.label) == ("Buy \ufffd now", "mine")
    assert row.id == validated(a_mapping(id="other")).id
    assert validated(a_mapping(note=None, id=None)).note == ""


def test_a_mapping_reads_as_a_signal_does() -> None:
    assert validated(a_mapping()) == validated(a_signal())
    assert validated(a_mapping(minute_estimated_time=60.0)) == validated(a_signal())


def test_a_mapping_changed_later_changes_nothing() -> None:
    returned = a_mapping()
    signal = read_signal(returned)
    before = replace(signal)

    returned.update(price_take_profit=math.nan, position=[])

    assert signal == before


def test_a_row_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        validated(a_signal()).price_open = 1.0  # type: ignore[misc]  # what a strategy might try


# -- Distances -------------------------------------------------------------------------------------

FREE = replace(RULES, require_profit_after_costs=False)


@pytest.mark.parametrize(
    ("take_profit", "stop_loss", "fault"),
    [
        (100.3, 99.0, None),
        (100.29, 99.0, "take profit is 0.290 % from price_open, the minimum is 0.3 %"),
        (102.0, 99.9, None),
        (102.0, 99.91, "stop loss is 0.090 % from price_open, the minimum is 0.1 %"),
        (102.0, 80.0, None),
        (102.0, 79.99, "stop loss is 20.010 % from price_open, the maximum is 20.0 %"),
    ],
)
@pytest.mark.parametrize("position", ["long", "short"])
def test_distances_are_inclusive(
    position: str, take_profit: float, stop_loss: float, fault: str | None
) -> None:
    is_long = position == "long"
    returned = a_mapping(
        position=position,
        price_take_profit=take_profit if is_long else 200 - take_profit,
        price_stop_loss=stop_loss if is_long else 200 - stop_loss,
    )

    found = faults_of(returned, rules=FREE)

    assert found == (() if fault is None else (f"{position.capitalize()}: {fault}",))


def test_a_threshold_of_zero_switches_its_check_off() -> None:
    off = replace(
        FREE,
        min_takeprofit_distance_percent=0,
        min_stoploss_distance_percent=0,
        max_stoploss_distance_percent=0,
    )

    assert faults_of(a_mapping(price_take_profit=100.001, price_stop_loss=99.999), rules=off) == ()
    assert faults_of(a_mapping(price_stop_loss=1.0), rules=off) == ()


def test_a_target_that_loses_after_costs_is_refused_and_the_least_distance_told() -> None:
    """0.3 % is said to cover the costs; by the formula of the costs it loses 0.10 %."""
    (fault,) = faults_of(a_mapping(price_take_profit=100.3))

    assert "would lose 0.1004 % after costs; costs take 0.4008 %" in fault
    assert "at least 0.4009 % away" in fault
    assert faults_of(a_mapping(price_take_profit=100.4008)) != ()
    assert faults_of(a_mapping(price_take_profit=100.4009)) == ()


def test_a_short_breaks_even_nearer() -> None:
    short = a_mapping(position="short", price_stop_loss=101.0)

    assert "costs take 0.3992 %" in faults_of(short | {"price_take_profit": 99.7})[0]
    assert faults_of(short | {"price_take_profit": 100 - 0.3993}) == ()


@pytest.mark.parametrize(("minutes", "is_sound"), [(1, True), (1440, True), (1441, False)])
def test_a_life_has_a_maximum(minutes: int, is_sound: bool) -> None:
    assert (faults_of(a_mapping(minute_estimated_time=minutes)) == ()) is is_sound


# -- Sides -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("price_open", [None, 100.0])
@pytest.mark.parametrize("position", ["long", "short"])
@pytest.mark.parametrize("wrong", ["price_take_profit", "price_stop_loss"])
def test_a_wrong_side_is_refused(wrong: str, position: str, price_open: float | None) -> None:
    for price in (100.0, 99.9, 100.1, 95.0, 105.0):
        returned = a_mapping(position=position, price_open=price_open)
        if position == "short":
            returned |= {"price_take_profit": 98.0, "price_stop_loss": 101.0}
        returned[wrong] = 100.0 if price == 100.0 else 200 - float(str(returned[wrong]))
        text = f"{position.capitalize()}: {wrong} ({float(str(returned[wrong]))}) must be"

        assert any(fault.startswith(text) for fault in faults_of(returned, price=100.0))


@pytest.mark.parametrize(
    ("position", "price", "fault"),
    [
        ("long", 99.0, "already at the stop loss (99.0)"),
        ("long", 98.0, "already at the stop loss (99.0)"),
        ("short", 101.0, "already at the stop loss (101.0)"),
        ("short", 103.0, "already at the stop loss (101.0)"),
    ],
)
def test_an_immediate_signal_at_its_own_stop_is_refused(
    position: str, price: float, fault: str
) -> None:
    """Its entry price was passed long ago, and so was its stop."""
    signal = a_signal("long" if position == "long" else "short", 100.0)

    (found,) = faults_of(signal, price)

    assert fault in found


def test_an_immediate_signal_past_its_own_target_is_refused() -> None:
    """The lifecycle document's example of a signal that would close at once."""
    returned = a_mapping(price_open=100_000, price_take_profit=99_000, price_stop_loss=98_000)

    found = faults_of(returned, price=100_000)

    assert any("already at the take profit (99000.0)" in fault for fault in found)


def test_a_waiting_signal_may_stand_past_its_target() -> None:
    assert validated(a_signal(price_open=100.0), price=105.0).is_scheduled


# -- All faults at once ----------------------------------------------------------------------------


def test_all_faults_are_told_at_once() -> None:
    returned = a_mapping(
        position="up",
        price_open=-1,
        price_take_profit="102",
        price_stop_loss=math.nan,
        minute_estimated_time=0.5,
        note=7,
        id=b"id",
    )

    assert faults_of(returned, price=math.inf) == (
        "the current price must be finite, got inf",
        'position must be "long" or "short", got \'up\'',
        "price_open must be positive, got -1.0",
        "price_take_profit must be a number, got '102'",
        "price_stop_loss must be finite, got nan",
        "minute_estimated_time must be a whole number of minutes, got 0.5",
        "note must be text, got int",
        "id must be text, got bytes",
    )


def test_a_bad_value_does_not_hide_a_bad_relation() -> None:
    found = faults_of(
        a_mapping(price_take_profit=math.nan, price_stop_loss=50.0, minute_estimated_time=2000)
    )

    assert [fault.split(" (")[0] for fault in found] == [
        "price_take_profit must be finite, got nan",
        "Long: stop loss is 50.000 % from price_open, the maximum is 20.0 %",
        "minute_estimated_time",
    ]


def test_missing_and_unknown_fields_are_told_with_the_bad_values() -> None:
    returned = {"position": "up", "priceTakeProfit": 1, "price_open": True, 3: 4}

    with pytest.raises(InvalidSignalError) as caught:
        read_signal(returned)

    assert caught.value.faults == (
        "price_take_profit is missing",
        "price_stop_loss is missing",
        "minute_estimated_time is missing",
        "priceTakeProfit is not a field of Signal",
        "int is not a field of Signal",
        'position must be "long" or "short", got \'up\'',
        "price_open must be a number, got True",
    )
    assert str(caught.value).startswith("invalid signal: price_take_profit is missing; ")
