"""An answer that is no plain signal has code of its author's in it: it costs its own call."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from daemon.core.events import Announcement, ErrorContract
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from tests.core.samples import a_signal
from tests.live.scene import a_scene
from tests.live.scripted import a_market


def _exit(*_: object) -> object:
    raise SystemExit(9)


Harmful = type("Harmful", (), {"__class__": property(_exit)})
"""Even asking what it is ends the process."""


class Noted(Strategy):
    """Says of its signal what nobody can look at."""

    interval = "1m"

    async def get_signal(self, view: View) -> Signal:
        return replace(a_signal(), note=Harmful())


class Endless(Mapping[str, object]):
    """Reads as a signal whose fields never come to an end."""

    def __getitem__(self, _: str) -> object:
        while True:
            pass

    def __iter__(self) -> Iterator[str]:
        while True:
            pass

    def __len__(self) -> int:
        return 4


class Hanging(Strategy):
    """Hangs when its answer is read."""

    interval = "1m"

    async def get_signal(self, view: View) -> Signal:
        return Endless()  # type: ignore[return-value]  # wrong on purpose


def errors_of(strategy: type[Strategy]) -> list[tuple[str, str]]:
    scene = a_scene(strategy, daemon={"strategy_stretch_max_ms": 50})
    scene.market = a_market([100.0] * 4)
    heard: list[Announcement] = []
    scene.subjects.error.subscribe(heard.append)

    async def contained() -> None:
        daemon = scene.assemble()
        asyncio.get_running_loop().call_later(70, daemon.stop)
        daemon.containment.install()
        try:
            await daemon.run()
        finally:
            daemon.containment.uninstall()

    run_virtual(contained())

    return [(event.where, event.error) for event in heard if isinstance(event, ErrorContract)]


def test_p13_a_note_that_ends_whoever_asks_what_it_is_costs_its_call() -> None:
    assert set(errors_of(Noted)) == {("get_signal", "InvalidSignalError")}


def test_p11_an_answer_that_hangs_when_it_is_read_is_ended_as_its_call_is() -> None:
    assert set(errors_of(Hanging)) == {("get_signal", "OverrunError")}
