"""Journal lines: whatever was changed is noticed, and costs its own line alone."""

from pathlib import Path

from daemon.adapters.storage.lines import (
    encode_entry,
    entry_line,
    index_line,
    note_payload,
    read_index,
    read_lines,
    read_numbered,
)
from daemon.core.journal_index import JournalIndex
from tests.adapters.storage.faulty_folder import FaultyFolder
from tests.adapters.storage.samples import KEY, a_candle, a_key, a_write

ENTRY = a_write(3)
LINE = entry_line(7, encode_entry(ENTRY))


def bodies(path: Path, data: bytes) -> list[bytes | None]:
    folder = FaultyFolder(path)
    (path / "file").write_bytes(data)
    return [line.body for line in read_lines(folder, "file")]


def test_d7_every_truncation_and_every_flipped_bit_of_a_line_is_noticed(tmp_path: Path) -> None:
    assert bodies(tmp_path / "whole", LINE) != [None]
    damaged = [LINE[:length] for length in range(1, len(LINE) - 1)]
    for place in range(len(LINE)):
        for bit in range(8):
            flipped = bytearray(LINE)
            flipped[place] ^= 1 << bit
            damaged.append(bytes(flipped))

    # A good line between them shows where each one ends.
    found = bodies(tmp_path / "damaged", b"\n".join(one + b"\n" + LINE for one in damaged))
    good = bodies(tmp_path / "good", LINE)[0]

    assert found.count(good) == len(damaged)
    assert set(found) == {good, None}


def test_lines_glued_by_a_lost_end_are_told_apart(tmp_path: Path) -> None:
    glued = LINE[:-1] + b"J" + LINE

    found = bodies(tmp_path / "state", glued)

    assert found[0] is not None
    assert found == [found[0], found[0]]


def test_zeros_and_garbage_of_any_length_are_one_bad_line(tmp_path: Path) -> None:
    assert bodies(tmp_path / "state", LINE + bytes(3_000_000))[1:] == [None]


def test_an_index_line_holds_the_whole_index(tmp_path: Path) -> None:
    odd = a_key('B"T/\n', "ü")
    index = JournalIndex(
        number=41,
        sequences={("signal", KEY): 5, ("schedule", odd): 6},
        candles={"BTC/USDT": 60_000},
    )

    (body,) = bodies(tmp_path / "state", index_line(index))

    assert body is not None
    assert read_numbered(body) is None
    assert read_index(body) == index


def test_an_entry_is_noted_as_the_core_would_note_it(tmp_path: Path) -> None:
    quick, whole = JournalIndex(), JournalIndex()
    entries = (a_write(1), a_candle(2), a_write(4, file="schedule"))
    for number in range(len(entries)):
        entry = entries[number]
        (body,) = bodies(tmp_path / "state", entry_line(number, encode_entry(entry)))
        assert body is not None
        numbered = read_numbered(body)
        assert numbered is not None
        note_payload(quick, numbered)
        whole.note(entry, number)

    assert quick == whole
