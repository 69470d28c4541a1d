"""Records are kept as they come; what is not whole, or not the same any more, is passed over."""

from dataclasses import asdict, dataclass
from pathlib import Path

from daemon.adapters.record_file import RecordFile


@dataclass(frozen=True)
class Point:
    x: float
    names: tuple[str, ...] = ()


def a_file(folder: Path) -> RecordFile[Point]:
    return RecordFile(folder / "deep" / "points.journal", Point, asdict)


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    assert file.read() == {}

    file.add("a", Point(0.1 + 0.2, ("\u20ac",)))
    file.add("b", Point(1e300))

    assert a_file(tmp_path).read() == {"a": Point(0.1 + 0.2, ("\u20ac",)), "b": Point(1e300)}
    file.remove()
    assert file.read() == {}


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    file.add("a", Point(1.0))
    whole = file.file.read_bytes()
    file.file.write_bytes(whole + whole[: len(whole) // 2])

    file.add("b", Point(2.0))

    assert a_file(tmp_path).read() == {"a": Point(1.0), "b": Point(2.0)}


def test_what_was_changed_or_is_of_another_shape_is_passed_over(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    file.add("a", Point(1.0))
    file.add("b", Point(2.0))
    file.file.write_bytes(file.file.read_bytes().replace(b"2.0", b"3.0") + b"\n\xff\xfe x y\n")

    assert file.read() == {"a": Point(1.0)}


def test_a_number_that_would_come_back_as_another_is_made_again(tmp_path: Path) -> None:
    file = a_file(tmp_path)

    file.add("a", Point(1))

    assert file.read() == {}
