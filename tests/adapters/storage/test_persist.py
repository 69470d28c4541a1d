"""Adapters of a user's own: plain or async, kept elsewhere, failing as they like."""

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from daemon.adapters.storage import persist
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.opening import StorageOptions, open_storage
from daemon.adapters.storage.persist import (
    PersistBase,
    PersistClasses,
    PersistPartialAdapter,
    PersistRiskAdapter,
    PersistScheduleAdapter,
    PersistSignalAdapter,
    chosen_persist_classes,
    use_persist_partial_adapter,
    use_persist_risk_adapter,
    use_persist_schedule_adapter,
    use_persist_signal_adapter,
)
from daemon.core.errors import TransientError
from tests.adapters.storage.faulty_folder import FaultyFolder
from tests.adapters.storage.samples import (
    KEY,
    SANDBOX,
    a_partial,
    a_risk,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_idle,
    now_ms,
)

SIGNAL = "signal_BTC%2FUSDT_breakout.json"


class Elsewhere:
    """Keeps records in a table, as a database would."""

    table: ClassVar[dict[str, bytes]] = {}
    made: ClassVar[list[str]] = []

    def __init__(self, name: str, folder: Folder) -> None:
        self.name = name
        self.made.append(name)

    def read(self) -> bytes | None:
        return self.table.get(self.name)

    def write(self, record: bytes) -> None:
        self.table[self.name] = record

    def remove(self) -> None:
        self.table.pop(self.name, None)


class AsyncElsewhere(Elsewhere):
    """The same with async methods, which must run on the daemon's loop."""

    loops: ClassVar[set[object]] = set()

    async def read(self) -> bytes | None:  # type: ignore[override]  # the async shape of it
        self.loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return super().read()

    async def write(self, record: bytes) -> None:  # type: ignore[override]  # as above
        await asyncio.sleep(0)
        super().write(record)

    async def remove(self) -> None:  # type: ignore[override]  # as above
        super().remove()


class Broken(Elsewhere):
    """Raises whatever it likes."""

    def write(self, record: bytes) -> None:
        raise SystemExit("the database is gone")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for held in (Elsewhere.table, Elsewhere.made, AsyncElsewhere.loops):
        held.clear()
    monkeypatch.setattr(persist, "_chosen", [PersistClasses()])


@pytest.mark.parametrize("cls", [Elsewhere, AsyncElsewhere])
async def test_records_are_kept_and_found_elsewhere(tmp_path: Path, cls: type[Elsewhere]) -> None:
    classes = PersistClasses(signal=cls, schedule=cls, risk=cls, partial=cls)
    path = tmp_path / "state"
    async with a_storage(path, classes=classes) as storage:
        await storage.state.load()
        numbers = [await storage.state.save(record) for record in (an_active(), a_waiting())]
        await storage.state.follow(a_risk())
        await storage.state.follow(a_partial())
        await storage.journal.append([a_write(1), a_write(1, file="schedule")])

    async with a_storage(path, classes=classes) as storage:
        stored = await storage.state.load()
        number = await storage.state.save(an_idle())

    assert numbers == [1, 1]
    assert number == 2
    assert stored.signals == (an_active(),)
    assert stored.schedules == (a_waiting(),)
    assert {name.partition("_")[0] for name in Elsewhere.table} == {
        "signal", "schedule", "risk", "partial",
    }  # fmt: skip
    assert not [file for file in path.iterdir() if file.suffix == ".json"]


async def test_async_methods_run_on_the_loop(tmp_path: Path) -> None:
    classes = PersistClasses(signal=AsyncElsewhere)
    options = StorageOptions(identity=SANDBOX, classes=classes, keys=(KEY,))
    storage = await asyncio.to_thread(open_storage, tmp_path / "state", options, now_ms)

    await storage.state.load()
    await asyncio.to_thread(storage.close)

    assert AsyncElsewhere.loops == {asyncio.get_running_loop()}


async def test_a_record_that_only_its_adapter_knows_is_found_by_the_configured_key(
    tmp_path: Path,
) -> None:
    classes = PersistClasses(signal=Elsewhere)
    async with a_storage(tmp_path / "one", classes=classes) as storage:
        await storage.state.load()
        await storage.state.save(an_active())
    options = StorageOptions(identity=SANDBOX, classes=classes, keys=(KEY,))
    other = await asyncio.to_thread(open_storage, tmp_path / "two", options, now_ms)

    stored = await other.state.load()
    await asyncio.to_thread(other.close)

    assert stored.signals == (an_active(),)


@pytest.mark.parametrize("cls", [Elsewhere, AsyncElsewhere])
async def test_d7_a_damaged_record_from_elsewhere_is_copied_aside(
    tmp_path: Path, cls: type[Elsewhere]
) -> None:
    path = tmp_path / "state"
    classes = PersistClasses(signal=cls)
    async with a_storage(path, classes=classes) as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        await storage.journal.append([a_write(1)])
    Elsewhere.table[SIGNAL] = b"rubbish"

    for _ in range(2):
        async with a_storage(path, classes=classes) as storage:
            stored = await storage.state.load()

        (fault,) = stored.faults
        assert fault.is_blocking
        assert (path / fault.moved_to).read_bytes() == b"rubbish"
    assert SIGNAL not in Elsewhere.table


async def test_whatever_an_adapter_raises_can_be_tried_again(tmp_path: Path) -> None:
    async with a_storage(tmp_path / "state", classes=PersistClasses(signal=Broken)) as storage:
        await storage.state.load()
        with pytest.raises(TransientError, match="SystemExit: the database is gone"):
            await storage.state.save(an_active())


async def test_an_adapter_is_made_when_its_record_is_first_needed(tmp_path: Path) -> None:
    async with a_storage(tmp_path / "state", classes=PersistClasses(signal=Elsewhere)) as storage:
        await storage.state.load()
        before = list(Elsewhere.made)
        await storage.state.save(an_active())
        await storage.state.save(an_idle())

    assert before == []
    assert Elsewhere.made == [SIGNAL]


async def test_the_chosen_classes_are_used(tmp_path: Path) -> None:
    use_persist_signal_adapter(Elsewhere)
    use_persist_schedule_adapter(Elsewhere)
    use_persist_risk_adapter(Elsewhere)
    use_persist_partial_adapter(Elsewhere)
    options = StorageOptions(identity=SANDBOX)
    storage = await asyncio.to_thread(open_storage, tmp_path / "state", options, now_ms)
    await storage.state.load()
    await storage.state.save(an_active())
    await asyncio.to_thread(storage.close)

    assert list(Elsewhere.table) == [SIGNAL]
    assert options.classes == chosen_persist_classes()


@pytest.mark.parametrize(
    "cls",
    [PersistSignalAdapter, PersistScheduleAdapter, PersistRiskAdapter, PersistPartialAdapter],
)
def test_a_file_adapter_reads_writes_and_removes(tmp_path: Path, cls: type[PersistBase]) -> None:
    adapter = cls("record.json", FaultyFolder(tmp_path / "state"))
    empty = adapter.read(), adapter.read_previous()
    adapter.write(b"1")
    adapter.write(b"2")
    full = adapter.read(), adapter.read_previous()
    adapter.remove()

    assert empty == (None, None)
    assert full == (b"2", b"1")
    assert (adapter.read(), adapter.read_previous()) == (None, None)
