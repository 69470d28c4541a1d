"""The state store on a real folder: order, trust, blocking, and what a crash leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.adapters.storage.opening import Storage
from tests.adapters.storage.samples import KEY, a_storage, a_waiting, a_write, an_active, an_idle


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = a_storage(tmp_path / "sandbox-signal")
    yield opened
    opened.close()


async def test_what_was_saved_is_loaded_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "sandbox-signal"
    first = a_storage(path)
    await first.state.load()
    numbers = [await first.state.save(record) for record in (an_active(), an_idle(), a_waiting())]
    first.close()

    second = a_storage(path)
    stored = await second.state.load()
    second.close()

    assert numbers == [1, 2, 1]
    assert stored.signals == (an_idle(),)
    assert stored.schedules == (a_waiting(),)
    assert stored.faults == ()
    assert stored.sequences == {("signal", KEY): 2, ("schedule", KEY): 1}


async def test_journal(tmp_path: Path) -> None:
    path = tmp_path / "sandbox-signal"
    first = a_storage(path)
    await first.state.load()
    await first.journal.append([a_write(1), a_write(2)])
    await first.journal.append([a_write(2)])
    got = await first.journal.read(0, 10)
    first.close()
    second = a_storage(path)
    again = await second.journal.read(0, 10)
    second.close()
    assert [g.number for g in got] == [1, 2]
    assert list(again) == list(got)
