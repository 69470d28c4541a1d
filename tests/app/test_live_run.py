"""tickd as a library: a program registers a strategy, runs it, listens, and stops it."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from daemon import (
    DoneContract,
    Live,
    RegistrationError,
    Signal,
    Strategy,
    UnknownNameError,
    View,
    add_strategy,
    get_date,
    get_mode,
    list_strategies,
    listen_done_live,
    listen_signal_live_once,
)
from daemon.app.config.load import load_config
from daemon.app.config.settings import Config
from daemon.app.live_run import SHARED, LiveRunError
from daemon.app.registry import REGISTRY

pytestmark = pytest.mark.may_block("the real daemon imports ccxt and reads certificates")


class Eager(Strategy):
    """Opens at every call."""

    strategy_name = "eager"
    interval = "1m"

    async def get_signal(self, view: View) -> Signal:
        assert get_mode() == "live"
        assert get_date().timestamp() * 1000 == view.now_ms
        return Signal(
            position="long",
            price_take_profit=view.price * 1.01,
            price_stop_loss=view.price * 0.99,
            minute_estimated_time=2,
        )


class Patient(Strategy):
    """Waits far below the price."""

    strategy_name = "patient"
    interval = "1m"

    def get_signal(self, view: View) -> Signal:
        entry = view.price * 0.8
        return Signal(
            position="long",
            price_open=entry,
            price_take_profit=entry * 1.02,
            price_stop_loss=entry * 0.9,
            minute_estimated_time=60,
        )


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    add_strategy(Eager)
    add_strategy(Patient)
    yield
    REGISTRY.strategies.clear()
    SHARED.runs.clear()


def a_config(folder: Path) -> Config:
    settings = (f"daemon.state_dir={folder}", "http.enabled=false")
    return load_config(settings=settings).config


async def test_a_run_yields_what_opened_and_closed(tmp_path: Path) -> None:
    actions: list[str] = []

    async with aclosing(
        Live.run("BTC/USDT", strategy_name="eager", config=a_config(tmp_path))
    ) as run:
        async for told in run:
            actions.append(told.action)
            if len(actions) == 2:
                break

    assert actions == ["opened", "closed"]
    assert [run.status for run in Live.list()] == ["fulfilled"]


async def test_two_runs_share_one_daemon_and_a_stop_ends_one(tmp_path: Path) -> None:
    done: list[DoneContract] = []
    has_scheduled = asyncio.Event()
    config = a_config(tmp_path)
    unsubscribe = listen_done_live(done.append)
    stop_patient = Live.background("ETH/USDT", strategy_name="patient", config=config)
    listen_signal_live_once(
        lambda result: result.action == "scheduled", lambda _: has_scheduled.set()
    )

    async with aclosing(Live.run("BTC/USDT", strategy_name="eager", config=config)) as run:
        told = await anext(run)
        assert told.strategy_name == "eager"
        await has_scheduled.wait()
        await stop_patient()
    unsubscribe()

    assert [(run.key.strategy_name, run.status) for run in Live.list()] == [
        ("patient", "fulfilled"),
        ("eager", "fulfilled"),
    ]
    assert [contract.strategy_name for contract in done] == ["patient"]


async def test_the_same_run_twice_is_refused(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    async with aclosing(Live.run("BTC/USDT", strategy_name="eager", config=config)) as run:
        await anext(run)
        with pytest.raises(LiveRunError, match="runs already"):
            Live.background("BTC/USDT", strategy_name="eager", config=config)


async def test_an_unknown_strategy_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no strategy 'eagre'; registered: 'eager'"):
        Live.background("BTC/USDT", strategy_name="eagre", config=a_config(tmp_path))


async def test_a_run_that_cannot_begin_leaves_no_listener(tmp_path: Path) -> None:
    before = list(REGISTRY.subjects.signal_live.listeners)
    with pytest.raises(UnknownNameError):
        await anext(Live.run("BTC/USDT", strategy_name="eagre", config=a_config(tmp_path)))

    assert REGISTRY.subjects.signal_live.listeners == before


def test_a_name_is_registered_once() -> None:
    with pytest.raises(RegistrationError, match="strategy 'eager' already exists"):
        add_strategy(Eager)

    assert list_strategies() == (Eager, Patient)


def test_a_class_that_cannot_run_is_refused_with_every_fault() -> None:
    class Hollow(Strategy):
        strategy_name = "hollow"
        interval = "2m"

    with pytest.raises(RegistrationError, match=r"does not override get_signal; interval is '2m'"):
        add_strategy(Hollow)


async def test_a_library_says_nothing_unasked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    handlers = logging.root.handlers[:]
    caplog.set_level(logging.INFO, "tickd")

    async with aclosing(
        Live.run("BTC/USDT", strategy_name="eager", config=a_config(tmp_path))
    ) as told:
        async for result in told:
            assert logging.root.handlers == handlers
            assert result.action == "opened"
            break

    assert capfd.readouterr().out == ""
    lines = [record.getMessage() for record in caplog.records if record.name == "tickd"]
    assert any(line.startswith("signal_opened") for line in lines)
