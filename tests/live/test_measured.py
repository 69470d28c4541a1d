"""What the exchange and the disk take is measured on the way, also where it fails."""

import pytest

from daemon.core.errors import TransientError
from daemon.core.events import PerformanceContract
from daemon.core.records import RunEntry
from daemon.live.measured import MeasuredJournal
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, MemoryDisk, MemoryJournal, Operation
from tests.live.scene import AMeter, a_scene
from tests.live.scripted import Buyer, a_market

RUN = RunEntry(version="1", config_hash="a", at_ms=1)


def test_a_daemon_measures_its_requests_and_its_appends() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    heard = list[PerformanceContract]()
    scene.subjects.performance.subscribe(heard.append)

    run_virtual(scene.run(30))

    assert scene.meter.seconds["exchange_fetch"]
    assert scene.meter.seconds["journal_append"]
    fetches = [event for event in heard if event.metric_type == "exchange_fetch"]
    assert fetches
    assert fetches[0].key.symbol == "BTC/USDT"


def test_a_failing_append_is_measured_too_and_its_error_goes_on() -> None:
    def fail(operation: Operation, subject: str) -> DiskTrouble:
        del operation, subject
        return DiskTrouble(error=TransientError("full"))

    meter = AMeter()

    async def scene() -> None:
        journal = MeasuredJournal(MemoryJournal(MemoryDisk(), fail), meter)
        with pytest.raises(TransientError):
            await journal.append((RUN,))
        assert journal.last_number == 0

    run_virtual(scene())

    assert len(meter.seconds["journal_append"]) == 1
