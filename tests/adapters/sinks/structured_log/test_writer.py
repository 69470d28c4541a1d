"""The log's writer: a reader that is slow, gone or full costs lines, never time."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from daemon.adapters.sinks.structured_log.writer import LineWriter


def gap(count: int) -> str:
    return f"lost {count}"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + 10.0
    while not condition():
        assert time.perf_counter() < deadline, "it never came true"
        time.sleep(0.001)


def test_lines_come_out_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(fd, gap)
    for number in range(5000):
        writer.write(f"line {number} é")

    writer.close(10.0)

    assert path.read_text(encoding="utf-8").splitlines() == [f"line {n} é" for n in range(5000)]
    assert writer.drops == 0
    os.close(fd)


def test_many_threads_may_write(tmp_path: Path) -> None:
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(fd, gap)

    def write(name: str) -> None:
        for number in range(200):
            writer.write(f"{name} {number}")

    threads = [Thread(target=write, args=(name,)) for name in "abcd"]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close(10.0)

    lines = path.read_text(encoding="utf-8").splitlines()
    assert sorted(lines) == sorted(f"{name} {n}" for name in "abcd" for n in range(200))
    os.close(fd)


def test_s8_a_slow_reader_costs_lines_and_no_time() -> None:
    """A pipe that nobody reads holds 64 KiB; then the writer's thread stands, and only that."""
    reading, writing = os.pipe()
    writer = LineWriter(writing, gap, queue_max=100)
    line = "x" * 1000
    started = time.perf_counter()

    for _ in range(1000):
        writer.write(line)

    assert time.perf_counter() - started < 1.0
    assert writer.drops >= 500
    drops = writer.drops
    received = b""
    while f"lost {drops}".encode() not in received:
        received += os.read(reading, 65536)
        writer.write("after")
    assert set(received.split(b"\n")) >= {line.encode(), f"lost {drops}".encode()}
    os.close(reading)
    writer.close(5.0)
    os.close(writing)


def test_s8_a_reader_that_is_gone_costs_lines_only() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing, gap)
    for _ in range(10):
        writer.write("nobody reads this")

    writer.close(10.0)

    assert writer.drops == 10
    os.close(writing)


def test_d22_a_full_disk_costs_lines_only() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    writer = LineWriter(fd, gap)
    writer.write("nothing fits")

    writer.close(10.0)

    assert writer.drops == 1


def test_a_gap_is_told_once_it_is_over(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    writer = LineWriter(full, gap)
    writer.write("lost")
    wait_for(lambda: writer.drops == 1)
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(fd, writer._fd)

    writer.write("back")
    writer.write("again")
    writer.close(10.0)

    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines() == [
        "lost 1",
        "back",
        "again",
    ]
    os.close(fd)
    os.close(full)


def test_a_pipe_that_somebody_made_non_blocking_loses_nothing() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    writer = LineWriter(writing, gap)
    lines = [f"{number} {'x' * 1000}" for number in range(300)]
    for line in lines:
        writer.write(line)

    received = b""
    while received.count(b"\n") < 300:
        received += os.read(reading, 65536)

    assert received.decode().splitlines() == lines
    writer.close(5.0)
    os.close(reading)
    os.close(writing)


def test_a_half_of_a_character_can_be_written(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(fd, gap)
    writer.write("half \ud800")

    writer.close(10.0)

    assert (tmp_path / "log").read_bytes() == b"half \\ud800\n"
    os.close(fd)


@pytest.mark.parametrize("timeout_s", [0.0, 0.05])
def test_closing_waits_no_longer_than_it_is_told(timeout_s: float) -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing, gap)
    for _ in range(200):
        writer.write("x" * 1000)
    started = time.perf_counter()

    writer.close(timeout_s)

    assert time.perf_counter() - started < 2.0
    os.close(reading)
    wait_for(lambda: not writer._thread.is_alive())
    os.close(writing)


def test_p16_whoever_closes_the_output_does_not_close_the_log(tmp_path: Path) -> None:
    """Else the next file that is opened would get its number, and our lines."""
    path = tmp_path / "log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    writer = LineWriter(fd, gap)
    os.close(fd)

    writer.write("still here")
    writer.close(10.0)

    assert path.read_text() == "still here\n"
    assert os.fstat(fd).st_ino == path.stat().st_ino
    os.close(fd)


def test_an_output_that_was_never_open_costs_lines_and_nothing_else() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)

    writer = LineWriter(fd, gap)
    writer.write("nobody reads this")
    writer.close(10.0)

    assert writer.drops == 1
