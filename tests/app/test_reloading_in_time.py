"""What a reload waits for, and what it says of secrets and addresses."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from daemon.app.config.problems import ConfigError
from daemon.app.reloading import in_time, loader_of
from daemon.core.commands import ReloadResult
from daemon.core.errors import TransientError
from daemon.live.workers import ThreadWorkers
from daemon.simulation.loop import run_virtual
from tests.app.test_reloading import BTC, CODE, WRITTEN, a_buying_scene, a_fresh, reload
from tests.live.control_stage import a_hand

ENDLESS = f"import threading\nthreading.Event().wait()\n{CODE}"


@pytest.mark.may_block("the test writes files")
async def test_an_import_that_never_ends_holds_up_no_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again it is not waited for; mended it is imported."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(WRITTEN)
    (tmp_path / "mine.py").write_text(ENDLESS)
    load, workers = loader_of(None, {}, ()), ThreadWorkers(1)

    with pytest.raises(TransientError, match=r"has not come back within 0\.2 s"):
        await in_time(load, workers, 0.2)
    with pytest.raises(ConfigError, match="its import has not ended since it was last tried"):
        await in_time(load, workers, 10.0)
    (tmp_path / "mine.py").write_text(CODE)
    fresh = await in_time(load, workers, 10.0)

    assert list(fresh.code.strategies) == ["mine"]


def reloaded(before: dict[str, object], after: dict[str, object]) -> ReloadResult:
    scene = a_buying_scene(alerts=before)

    async def play() -> ReloadResult:
        async with a_hand(scene) as hand:
            return await reload(hand, scene, a_fresh(BTC, alerts=after))

    return run_virtual(play())


def telegram(token: str, file: str) -> dict[str, object]:
    return {"telegram": {"token": SecretStr(token), "token_file": Path(file), "chat_id": 5}}


def test_another_token_of_telegram_and_another_file_of_it_need_no_restart() -> None:
    """They are read again: what a reload says is what it does."""
    told = reloaded(
        telegram("1234567:" + "a" * 35, "/run/old"), telegram("7654321:" + "b" * 35, "/run/new")
    )

    assert told.needs_restart == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, telegram("1234567:" + "a" * 35, "/a")), (telegram("1234567:" + "a" * 35, "/a"), {})],
)
def test_a_token_that_comes_or_goes_needs_one(
    before: dict[str, object], after: dict[str, object]
) -> None:
    assert "alerts.telegram.token" in reloaded(before, after).needs_restart


def test_another_address_of_alerts_needs_one_and_is_not_told_itself() -> None:
    told = reloaded(
        {"webhook": {"url": SecretStr("https://one.example/secret1")}},
        {"webhook": {"url": SecretStr("https://two.example/secret2")}},
    )

    assert told.needs_restart == ("alerts.webhook.url",)
    assert "example" not in told.message
