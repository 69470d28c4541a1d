"""A reload: judged whole, then tasks come, go and change, and nobody else hears of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.app.config.problems import ConfigError, Problem
from daemon.app.config.settings import Config
from daemon.app.loading import Code, load_profile
from daemon.app.reloading import Fresh, Reloader, loader_of
from daemon.core.commands import ReloadResult
from daemon.core.errors import RejectedError
from daemon.core.events import SignalClosed, SignalOpened
from daemon.core.signal import Key
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.loop import run_virtual
from tests.live.control_stage import CALLER, Hand, a_hand, commands_of
from tests.live.scene import DAY_MS, START_MS, Scene, a_scene
from tests.live.scripted import KEY, Buyer, Waiter, a_market, names

BTC = {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"]}
BOTH = {**BTC, "symbols": ["BTC/USDT", "ETH/USDT"]}
OTHER = {"name": "t", "path": "tests:T", "symbols": ["BTC/USDT"]}
OTHER_KEY = replace(KEY, strategy_name="t")


def a_fresh(*strategies: Mapping[str, object], **settings: object) -> Fresh:
    config = Config(strategies=strategies, **settings)  # type: ignore[arg-type]  # by pydantic
    code = Code(
        strategies={str(each["name"]): Buyer for each in strategies},
        profiles=tuple(load_profile(section) for section in config.risk),
    )
    return Fresh(config=config, code=code)


async def reload(
    hand: Hand, scene: Scene, fresh: Fresh, drains: bool | None = None
) -> ReloadResult:
    """Reload to `fresh` as a person would; later ones go on from there."""

    def load() -> Fresh:
        return fresh

    reloader = Reloader(
        daemon=hand.daemon, fresh=Fresh(config=scene.config, code=scene.code), load=load
    )
    hand.control._reload = reloader
    told = await hand.control.reload(CALLER, drains=drains)
    scene.config, scene.code = reloader.fresh.config, reloader.fresh.code
    return told


def a_buying_scene(**settings: object) -> Scene:
    Buyer.calls = []
    scene = a_scene(Buyer, **settings)
    scene.market = GeneratedMarket(default_specs(), 7, START_MS - 10 * DAY_MS)
    return scene


def test_a_task_that_was_added_trades_and_the_others_hear_nothing_of_it() -> None:
    scene = a_buying_scene()

    async def play() -> tuple[ReloadResult, bool]:
        async with a_hand(scene) as hand:
            runner = hand.daemon.supervisor.slots[KEY].runner
            told = await reload(hand, scene, a_fresh(BOTH))
            await asyncio.sleep(120)
            return told, hand.daemon.supervisor.slots[KEY].runner is runner

    told, is_same = run_virtual(play())

    assert told.outcome == "done"
    assert told.added == ("ETH/USDT s",)
    assert (told.removed, told.changed, told.needs_restart) == ((), (), ())
    assert is_same
    opened = [event.symbol for event in scene.journaled if isinstance(event, SignalOpened)]
    assert opened == ["BTC/USDT", "ETH/USDT"]
    assert commands_of(scene)[-1].result.startswith("done: reloaded: 1 added")


def test_a_new_symbol_has_its_minutes_in_the_journal_too() -> None:
    scene = a_buying_scene()

    async def play() -> None:
        async with a_hand(scene) as hand:
            await reload(hand, scene, a_fresh(BOTH))
            await asyncio.sleep(200)

    run_virtual(play())

    told = {item.entry.symbol for item in scene.disk.entries if item.entry.kind == "candle"}
    assert told == {"BTC/USDT", "ETH/USDT"}


def test_a_task_without_a_signal_is_removed_at_once() -> None:
    scene = a_buying_scene(strategies=[BTC, OTHER])
    scene.code = replace(scene.code, strategies={"s": Buyer, "t": Waiter})
    scene.market = a_market([100.0] * 9)

    async def play() -> tuple[ReloadResult, set[Key]]:
        async with a_hand(scene) as hand:
            await hand.do("cancel", strategy_name="t")
            await hand.do("pause", strategy_name="t")
            await hand.do("cancel", strategy_name="t")
            told = await reload(hand, scene, a_fresh(BTC))
            await asyncio.sleep(30)
            return told, set(hand.daemon.supervisor.slots)

    told, left = run_virtual(play())

    assert told.removed == ("BTC/USDT t",)
    assert left == {KEY}


def test_c10_a_task_with_an_open_signal_is_not_removed_unless_it_may_be_drained() -> None:
    scene = a_buying_scene(strategies=[BTC, OTHER])
    scene.code = replace(scene.code, strategies={"s": Buyer, "t": Waiter})
    scene.market = a_market([100.0, 100.0, 103.0, 103.0])

    async def play() -> list[object]:
        async with a_hand(scene) as hand:
            supervisor = hand.daemon.supervisor
            refused = await reload(hand, scene, a_fresh(OTHER))
            before = (refused.outcome, set(supervisor.slots), scene.config.strategies[0].name)
            drained = await reload(hand, scene, a_fresh(OTHER), drains=True)
            during = (drained.outcome, set(supervisor.slots), supervisor.orphans)
            await asyncio.sleep(2000)
            return [refused.message, before, during, set(supervisor.slots), supervisor.orphans]

    message, before, during, left, orphans = run_virtual(play())

    assert "BTC/USDT s left the configuration with a signal" in str(message)
    assert before == ("refused", {KEY, OTHER_KEY}, "s")
    assert during == ("done", {KEY, OTHER_KEY}, (KEY,))
    assert (left, orphans) == ({OTHER_KEY}, ())
    closed = [event for event in scene.journaled if isinstance(event, SignalClosed)]
    assert [(event.strategy_name, event.close_reason) for event in closed][:1] == [
        ("s", "take_profit")
    ]
    assert names(scene).count("opened") == 1


def test_the_file_may_say_that_removed_tasks_are_drained() -> None:
    scene = a_buying_scene(strategies=[BTC, OTHER])
    scene.code = replace(scene.code, strategies={"s": Buyer, "t": Waiter})

    async def play() -> str:
        async with a_hand(scene) as hand:
            fresh = a_fresh(OTHER, daemon={"removed_tasks": "drain"})
            return (await reload(hand, scene, fresh)).outcome

    assert run_virtual(play()) == "done"


def test_a_changed_task_starts_anew_with_its_open_signal() -> None:
    scene = a_buying_scene()
    scene.market = a_market([100.0, 103.0, 103.0])

    async def play() -> ReloadResult:
        async with a_hand(scene) as hand:
            told = await reload(hand, scene, a_fresh({**BTC, "interval": "15m"}))
            await asyncio.sleep(1500)
            return told

    told = run_virtual(play())

    assert told.changed == ("BTC/USDT s",)
    assert names(scene)[0] == "opened"
    closed = [event for event in scene.journaled if isinstance(event, SignalClosed)]
    assert [event.close_reason for event in closed] == ["take_profit"]


def test_a_changed_risk_profile_counts_what_is_open() -> None:
    """The position was opened when nothing limited it; the new profile has one place, taken."""
    scene = a_buying_scene()
    risk = [{"name": "one", "max_positions": 1}]

    async def play() -> tuple[ReloadResult, int]:
        async with a_hand(scene) as hand:
            fresh = a_fresh({**BOTH, "risk": ["one"]}, risk=risk)
            told = await reload(hand, scene, fresh)
            held = len(hand.daemon.risk.positions("one"))
            await asyncio.sleep(90)
            return told, held

    told, held = run_virtual(play())

    assert told.changed == ("risk one", "BTC/USDT s")
    assert held == 1
    assert names(scene).count("opened") == 1
    assert "risk" in names(scene)


def test_what_cannot_change_is_named_and_the_rest_is_done() -> None:
    scene = a_buying_scene()

    async def play() -> list[ReloadResult]:
        async with a_hand(scene) as hand:
            fresh = a_fresh(BOTH, rules={"max_signal_lifetime_minutes": 60}, log={"level": "debug"})
            return [await reload(hand, scene, fresh), await reload(hand, scene, fresh)]

    first, second = run_virtual(play())

    assert first.outcome == "done"
    assert first.needs_restart == ("rules.max_signal_lifetime_minutes", "log.level")
    assert second.outcome == "already"
    assert second.needs_restart == first.needs_restart


def test_another_exchange_is_another_daemon_and_nothing_of_the_file_is_taken() -> None:
    scene = a_buying_scene()

    async def play() -> ReloadResult:
        async with a_hand(scene) as hand:
            return await reload(hand, scene, a_fresh(BOTH, exchange={"id": "binance"}))

    told = run_virtual(play())

    assert told.outcome == "refused"
    assert "exchange.id needs a restart" in told.message


def test_p5_an_invalid_configuration_changes_nothing_and_says_so() -> None:
    scene = a_buying_scene()

    async def play() -> tuple[ReloadResult, set[Key], bool]:
        async with a_hand(scene) as hand:
            runner = hand.daemon.supervisor.slots[KEY].runner

            def load() -> Fresh:
                raise ConfigError([Problem(where="config.toml:3:1", message="is no number")])

            fresh = Fresh(config=scene.config, code=scene.code)
            hand.control._reload = Reloader(daemon=hand.daemon, fresh=fresh, load=load)
            told = await hand.control.reload(CALLER)
            slots = hand.daemon.supervisor.slots
            return told, set(slots), slots[KEY].runner is runner

    told, slots, is_same = run_virtual(play())

    assert told == ReloadResult(
        outcome="refused", message="nothing was changed: config.toml:3:1: is no number"
    )
    assert slots == {KEY}
    assert is_same
    assert commands_of(scene)[-1].result == f"refused: {told.message}"


def test_p5_a_symbol_that_the_exchange_does_not_have_changes_nothing() -> None:
    scene = a_buying_scene()

    async def unknown(symbols: object) -> None:
        raise RejectedError("sandbox has no market 'ETH/USDT'")

    async def play() -> tuple[ReloadResult, set[Key]]:
        async with a_hand(scene) as hand:
            daemon = replace(hand.daemon, world=replace(hand.daemon.world, learn=unknown))
            hand.daemon = daemon
            return await reload(hand, scene, a_fresh(BOTH)), set(daemon.supervisor.slots)

    told, slots = run_virtual(play())

    assert told.outcome == "refused"
    assert "has no market" in told.message
    assert slots == {KEY}


def test_p5_a_strategy_that_cannot_be_made_changes_nothing() -> None:
    class Unmakeable(Buyer):
        def __init__(self, needed: int) -> None:
            self.needed = needed

    scene = a_buying_scene()
    fresh = a_fresh(BOTH)
    fresh = replace(fresh, code=replace(fresh.code, strategies={"s": Unmakeable}))

    async def play() -> ReloadResult:
        async with a_hand(scene) as hand:
            return await reload(hand, scene, fresh)

    assert "Unmakeable cannot be made" in run_virtual(play()).message


WRITTEN = """
[[strategies]]
name = "mine"
path = "./mine.py:Mine"
symbols = ["BTC/USDT"]
"""
CODE = """
from daemon import Strategy

class Mine(Strategy):
    def get_signal(self, view):
        return None
"""


@pytest.mark.parametrize("spoiled", ['[[strategies]]\nname = "mi', None])
def test_c7_a_torn_or_missing_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiled: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(WRITTEN)
    (tmp_path / "mine.py").write_text(CODE)
    load = loader_of(None, {}, ())
    assert load().config.strategies[0].name == "mine"

    if spoiled is None:
        file.unlink()
    else:
        file.write_text(spoiled)

    with pytest.raises(ConfigError):
        load()


def test_code_that_has_changed_since_it_was_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(WRITTEN)
    code = tmp_path / "mine.py"
    code.write_text(CODE)
    load = loader_of(None, {}, ())
    assert str(code) not in load().stale

    code.write_text(CODE + "# better\n")

    assert str(code) in load().stale
