"""`tickd pause` and its kind against a running daemon: what is asked, told and returned."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import pytest

from daemon.app.exit_codes import ExitCode
from daemon.core.commands import ReloadResult
from tests.adapters.http.api_stage import TOKEN, an_api
from tests.app.cli.tickd import Shell
from tests.live.scene import a_scene
from tests.live.scripted import Waiter, a_market


async def _serve(
    ready: "Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]",
) -> None:
    over = asyncio.Event()
    scene = a_scene(Waiter)
    scene.market = a_market([100.0] * 60)

    async def reload(drains: bool | None) -> ReloadResult:
        return ReloadResult(
            outcome="refused" if drains is False else "done",
            message=f"drains: {drains}",
            added=("ETH/USDT s",),
            needs_restart=("log.level",),
        )

    async with an_api(scene, reload) as api:
        ready.set_result((api.http.url, asyncio.get_running_loop(), over))
        await over.wait()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = Thread(target=lambda: asyncio.run(_serve(ready)), daemon=True)
    thread.start()
    address, loop, over = ready.result(timeout=30)
    yield address
    loop.call_soon_threadsafe(over.set)
    thread.join(timeout=30)


@pytest.fixture
def reach(url: str, tmp_path: Path) -> list[str]:
    """Return the options that lead to the daemon."""
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    return ["--url", url, "--token-file", str(token)]


def test_a_pause_and_its_end_are_told_task_by_task(shell: Shell, reach: list[str]) -> None:
    paused = shell("pause", "BTC/USDT", "s", *reach)
    again = shell("pause", "--all", *reach)
    resumed = shell("resume", "s", "--json", *reach)

    assert paused.code == again.code == resumed.code == ExitCode.OK
    assert "BTC/USDT s: paused: it opens nothing new" in paused.out
    assert "already paused; nothing was changed" in again.out
    assert json.loads(resumed.out)["results"][0]["outcome"] == "done"


def test_a_task_is_stopped_and_started(shell: Shell, reach: list[str]) -> None:
    stopped = shell("stop-task", "s", *reach)
    started = shell("start-task", "s", *reach)

    assert "stopped: it opens nothing new" in stopped.out
    assert "BTC/USDT s: started" in started.out


def test_nothing_to_close_is_no_failure(shell: Shell, reach: list[str]) -> None:
    closed = shell("close", "--all", *reach)

    assert closed.code == ExitCode.OK
    assert "no open signal" in closed.out


def test_an_unknown_task_is_told_with_what_is_near(shell: Shell, reach: list[str]) -> None:
    unknown = shell("pause", "BTC/USD", *reach)

    assert unknown.code == ExitCode.FINDINGS
    assert "Did you mean BTC/USDT?" in unknown.err


@pytest.mark.parametrize(
    "words", [[], ["a", "b", "c"], ["--all", "BTC/USDT"], ["--all", "--signal", "x"]]
)
def test_whom_a_command_is_about_must_be_plain(
    shell: Shell, reach: list[str], words: list[str]
) -> None:
    assert shell("close", *words, *reach).code == ExitCode.USAGE


def test_a_reload_tells_what_came_and_what_waits(shell: Shell, reach: list[str]) -> None:
    done = shell("reload", "--drain", *reach)
    refused = shell("reload", "--refuse", *reach)

    assert done.code == ExitCode.OK
    assert "added ETH/USDT s" in done.out
    assert "needs a restart: log.level" in done.out
    assert "drains: True" in done.out
    assert refused.code == ExitCode.FINDINGS
    assert "drains: False" in refused.err


def test_a_wrong_token_is_told_and_shown_nowhere(shell: Shell, url: str, tmp_path: Path) -> None:
    token = tmp_path / "wrong"
    token.write_text("a-wrong-token\n")
    token.chmod(0o600)

    answer = shell("pause", "--all", "--url", url, "--token-file", str(token))

    assert answer.code == ExitCode.CONFIG
    assert "does not take this one" in answer.err
    assert "a-wrong-token" not in answer.out + answer.err


def test_where_no_daemon_runs_that_is_the_news(shell: Shell) -> None:
    answer = shell("pause", "--all", "--url", "http://127.0.0.1:9")

    assert answer.code == ExitCode.UNAVAILABLE
    assert "no daemon answers" in answer.err
