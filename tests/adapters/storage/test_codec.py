"""What is written is read back the same; whatever was changed or cut is noticed."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.storage.codec import Damaged, Newer, Version, decode, encode, place_of
from daemon.adapters.storage.schema import Record
from daemon.core.errors import FatalError
from daemon.core.records import SignalRecord
from daemon.core.states import Active, Closing, Opening, tick
from tests.adapters.storage.samples import (
    EVERY_RECORD,
    KEY,
    SANDBOX,
    a_key,
    a_row,
    a_waiting,
    an_active,
)

GOLDEN = Path(__file__).parent / "golden"
EACH_KIND = pytest.mark.parametrize("record", EVERY_RECORD, ids=lambda r: type(r).__name__)


def is_noticed(data: bytes, record: Record) -> bool:
    return isinstance(decode(data, place_of(record), SANDBOX), Damaged)


@EACH_KIND
def test_a_record_is_read_back_as_it_was_written(record: Record) -> None:
    data = encode(record, 7, SANDBOX)

    assert decode(data, place_of(record), SANDBOX) == Version(seq=7, record=record)


@pytest.mark.parametrize(
    "state",
    [
        Opening(signal=a_row(), seen=tick(5, 100.0)),
        Active(signal=a_row(), profit_levels=(10,), loss_levels=(10, 20)),
        Closing(signal=a_row(), reason="user", price=99.5, at_ms=8),
    ],
    ids=lambda state: state.kind,
)
def test_each_state_is_read_back(state: Opening | Active | Closing) -> None:
    record = SignalRecord(key=KEY, state=state, is_stopped=True, risk_names=("main",))

    data = encode(record, 1, SANDBOX)

    assert decode(data, place_of(record), SANDBOX) == Version(seq=1, record=record)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.floats(1e-12, 1e12))
def test_any_note_and_price_survive(note: str, price: float) -> None:
    row = replace(a_row(), note=note, price_open=price)
    record = replace(a_waiting(), signal=row, outbox=())

    data = encode(record, 1, SANDBOX)

    assert decode(data, place_of(record), SANDBOX) == Version(seq=1, record=record)


@EACH_KIND
def test_d7_every_truncation_is_noticed(record: Record) -> None:
    data = encode(record, 7, SANDBOX)

    assert all(is_noticed(data[:length], record) for length in range(len(data)))


@EACH_KIND
def test_d7_every_single_flipped_bit_is_noticed(record: Record) -> None:
    data = encode(record, 7, SANDBOX)

    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit

            assert is_noticed(bytes(flipped), record), (place, bit)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data + b"\n",
        lambda data: data + data,
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: bytes(len(data)),
        lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
        lambda data: data[512:1024] + data[:512] + data[1024:],
        lambda data: data.replace(b'"seq": 7', b'"seq": 7,\n  "seq": 8'),
        lambda data: data.replace(b"101.0", b"NaN"),
        lambda data: data.replace(b"101.0", b"1" * 400),
        lambda data: b"[" * 100_000,
        lambda data: orjson.dumps(orjson.loads(data)),
    ],
)
def test_d6_d7_other_damage_is_noticed(change: Callable[[bytes], bytes]) -> None:
    record = an_active()

    assert is_noticed(change(encode(record, 7, SANDBOX)), record)


def test_a_file_is_json_and_its_checksum_can_be_checked_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "signal.json"
    file.write_bytes(encode(an_active(), 7, SANDBOX))

    found = json.loads(file.read_text())
    by_hand = subprocess.run(
        f"tail -n +3 {file} | sha256sum", shell=True, capture_output=True, text=True, check=True
    )

    assert list(found) == ["checksum", "schema", "seq", "folder", "place", "record"]
    assert found["checksum"] == f"sha256:{by_hand.stdout.split()[0]}"
    assert found["record"]["state"]["kind"] == "active"


@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf")])
def test_p13_a_number_that_json_cannot_hold_is_refused_and_not_written_as_null(
    price: float,
) -> None:
    record = replace(a_waiting(), signal=replace(a_row(), price_open=price))

    with pytest.raises(FatalError, match="cannot be saved"):
        encode(record, 1, SANDBOX)


def test_p13_text_that_json_cannot_hold_is_refused() -> None:
    record = replace(a_waiting(), signal=replace(a_row(), note="\ud800"))

    with pytest.raises(FatalError, match="cannot be saved"):
        encode(record, 1, SANDBOX)


@pytest.mark.parametrize(
    "record",
    [
        replace(an_active(), key=a_key(strategy_name="other")),
        replace(a_waiting(), key=a_key("ETH/USDT")),
        SignalRecord(key=replace(KEY, exchange_name="binance")),
    ],
)
def test_a_record_that_contradicts_itself_or_its_folder_is_refused(
    record: SignalRecord,
) -> None:
    with pytest.raises(FatalError, match="cannot be saved"):
        encode(record, 1, SANDBOX)


@EACH_KIND
def test_d10_a_file_of_schema_1_is_read_for_ever(record: Record) -> None:
    """The golden files were written once and must never be written again."""
    file = GOLDEN / f"{EVERY_RECORD.index(record)}_{type(record).__name__}.json"

    found = decode(file.read_bytes(), place_of(record), SANDBOX)

    assert found == Version(seq=7, record=record)


def test_d9_a_newer_schema_is_known_even_if_nothing_else_of_it_is() -> None:
    body = b'  "schema": 9,\n  "all": "else"\n}\n'
    data = b'{\n  "checksum": "sha256:%b",\n%b' % (sha256(body).hexdigest().encode(), body)

    assert decode(data, place_of(an_active()), SANDBOX) == Newer(schema=9)
