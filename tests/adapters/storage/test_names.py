"""File names: injective, readable, harmless, whatever a symbol or a strategy is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.storage.names import (
    Place,
    PlaceKind,
    file_name,
    is_hashed_name,
    parse_file_name,
)

KINDS: tuple[PlaceKind, ...] = ("signal", "schedule", "risk", "partial", "cursor")
NASTY = st.sampled_from(
    [
        "", "A_B", "A", "B_C", "C", "../../x", "..", ".", "BTC/USDT", "BTC/USDT:USDT", "btc/usdt",
        "Btc/Usdt", "a\x00b", "a\nb", "x" * 300, "X" * 300, "\U0001f680", "CON", "con", ".hidden",
        "%s", "%5F", "~1", "~~", "a.json", "a.json.prev", "a~1", "é", "É", "ß", "\ud800", "K",
    ]
)  # fmt: skip
NAMES = st.one_of(st.text(max_size=40), st.text(alphabet="aAbB_~%/.", max_size=8), NASTY)


@st.composite
def places(draw: st.DrawFn) -> Place:
    kind = draw(st.sampled_from(KINDS))
    symbol = "" if kind == "cursor" else draw(NAMES)
    return Place(kind=kind, symbol=symbol, name="" if kind == "partial" else draw(NAMES))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (
            Place(kind="signal", symbol="BTC/USDT", name="breakout"),
            "signal_BTC%2FUSDT_breakout.json",
        ),
        (
            Place(kind="schedule", symbol="BTC/USDT:USDT", name="mean_reversion"),
            "schedule_BTC%2FUSDT%3AUSDT_mean_reversion.json",
        ),
        (Place(kind="risk", symbol="ETH/USDT", name="Main"), "risk_ETH%2FUSDT_Main~1.json"),
        (Place(kind="partial", symbol="eth_usdt"), "partial_eth%5Fusdt~7f.json"),
        (Place(kind="cursor", symbol="", name="telegram"), "cursor_telegram.json"),
    ],
)
def test_usual_names_stay_readable(place: Place, expected: str) -> None:
    assert file_name(place) == expected


@given(places(), places())
def test_d14_two_records_never_share_a_file_even_where_case_is_ignored(a: Place, b: Place) -> None:
    same = file_name(a).lower() == file_name(b).lower()

    assert same == (a == b)


@given(places())
def test_d14_a_name_is_harmless_short_and_round_trips(place: Place) -> None:
    name = file_name(place)

    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set('/\\\0\n:*?"<>| ')
    assert not name.startswith(".")
    assert len(f".tmp-0123456789ab-{name}.prev") <= 255
    assert len(f"{name}.prev.corrupt-20261121T113700123Z-9999") <= 255
    assert parse_file_name(name) == (None if is_hashed_name(name) else place)


@given(st.text(max_size=30))
def test_only_what_the_encoder_writes_is_read_as_a_name(text: str) -> None:
    for candidate in (text, f"signal_{text}.json", f"partial_{text}.json"):
        place = parse_file_name(candidate)

        assert place is None or file_name(place) == candidate


@pytest.mark.parametrize(
    "name",
    [
        "signal_BTC%2fUSDT_breakout.json",
        "signal_BTC_breakout (copy).json",
        "signal_BTC_breakout.json.prev",
        "signal_BTC.json",
        "signal_BTC_%FF.json",
        "notes.json",
    ],
)
def test_foreign_names_are_not_taken_for_ours(name: str) -> None:
    assert parse_file_name(name) is None
