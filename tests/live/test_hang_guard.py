"""Strategies that took the daemon down too often are not even made."""

from daemon.core.errors import TransientError
from daemon.core.hangs import HangCounts
from daemon.live.hang_guard import HangGuard, NoMemory
from tests.live.scripted import KEY


class AMemory(NoMemory):
    """Holds counts; its disk may be full."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.counts = {(KEY.symbol, KEY.strategy_name): count}
        self.is_full = False

    async def save(self, counts: HangCounts) -> None:
        if self.is_full:
            raise TransientError("disk full")
        await super().save(counts)


def test_p11_one_too_many_and_it_is_not_made() -> None:
    hang_guard = HangGuard(AMemory(3), 3)

    fault = hang_guard.find_fault(KEY)

    assert "3 times in a row" in fault
    assert hang_guard.is_refused(KEY)


def test_one_less_and_it_is() -> None:
    assert HangGuard(AMemory(2), 3).find_fault(KEY) == ""


async def test_p11_who_is_wanted_back_is_made_again_whatever_the_disk_does() -> None:
    memory = AMemory(3)
    hang_guard = HangGuard(memory, 3)
    hang_guard.find_fault(KEY)
    memory.is_full = True

    await hang_guard.forget(KEY)

    assert not hang_guard.is_refused(KEY)
    assert hang_guard.find_fault(KEY) == ""
    memory.is_full = False
    await hang_guard.forget(KEY)
    assert memory.counts == {}
