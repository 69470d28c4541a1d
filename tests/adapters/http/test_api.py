"""The control API over real sockets, with a whole daemon behind it."""

import pytest

from daemon.adapters.http.api import BODY_BYTES_MAX
from daemon.adapters.http.openapi import COMMANDS
from tests.adapters.http.api_stage import AUTHORIZED, TOKEN, an_api
from tests.adapters.http.http_stage import serving
from tests.live.control_stage import commands_of
from tests.live.scene import Scene, a_scene
from tests.live.scripted import KEY, Waiter, a_market

pytestmark = pytest.mark.may_block("assembling a daemon reads its version from the disk")

PATHS = [f"/api/v1/{name}" for name in (*COMMANDS, "reload", "status", "nowhere")]
ALL = {"all": True}


def the_scene() -> Scene:
    scene = a_scene(Waiter)
    scene.market = a_market([100.0] * 4)
    return scene


async def test_a_command_is_done_and_answered_task_by_task() -> None:
    scene = the_scene()
    async with an_api(scene) as api:
        first = await api.post("/api/v1/pause", {"symbol": "BTC/USDT"})
        again = await api.post("/api/v1/pause", ALL, **{"X-Tickd-Caller": "cli somebody"})
        status = await api.get("/api/v1/status")

    assert first[0] == again[0] == 200
    assert first[1] == {
        "command": "pause",
        "results": [
            {
                "symbol": "BTC/USDT",
                "strategy_name": "s",
                "outcome": "done",
                "message": "paused: it opens nothing new",
                "signal_id": "",
            }
        ],
    }
    assert again[1]["results"][0]["outcome"] == "already"
    assert status[1]["tasks"][0]["is_paused"]
    callers = [(entry.origin, entry.identity) for entry in commands_of(scene)]
    assert callers == [("api", "127.0.0.1")] * 2 + [("cli", "somebody from 127.0.0.1")] * 2


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \xff",
    ],
)
async def test_q6_without_the_token_nothing_is_done_and_nothing_told(authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    async with an_api(the_scene()) as api:
        for path in PATHS:
            for method in ("GET", "POST", "PUT"):
                code, told = await api.ask(
                    method, path, b"{}", **headers, **{"Content-Type": "application/json"}
                )
                assert code == 401
                assert set(told) == {"error"}
                assert "BTC" not in str(told)
        assert not api.daemon.supervisor.keepers[KEY].held.is_paused


async def test_q6_an_empty_token_lets_nobody_in() -> None:
    async with an_api(the_scene()) as api:
        assert api.http.api is not None
        api.http.api.change_token("")
        code, _ = await api.post("/api/v1/pause", ALL, Authorization="Bearer ")

    assert code == 401


async def test_q7_no_get_changes_anything() -> None:
    async with an_api(the_scene()) as api:
        for name in (*COMMANDS, "reload"):
            for method in ("GET", "HEAD", "OPTIONS"):
                code, _ = await api.get(f"/api/v1/{name}?all=true", method)
                assert code == 405
        assert not api.daemon.supervisor.keepers[KEY].held.is_paused


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
async def test_q7_a_foreign_host_or_origin_commands_nothing(headers: dict[str, str]) -> None:
    async with an_api(the_scene()) as api:
        code, told = await api.post("/api/v1/pause", ALL, **headers)
        assert not api.daemon.supervisor.keepers[KEY].held.is_paused

    assert code in (403, 421)
    assert told["error"]["code"] in ("foreign_host", "foreign_origin")


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"symbol": 1}', "application/json", 400),
        (b'{"all": "yes"}', "application/json", 400),
        (b'{"all": true, "symbol": "BTC/USDT"}', "application/json", 400),
        (b'{"symbl": "BTC/USDT"}', "application/json", 400),
        (b'{"symbol": "\\ud800"}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"all": true}', "text/plain", 415),
        (b'{"all": true}', "application/x-www-form-urlencoded", 415),
        (b" " * (BODY_BYTES_MAX + 1), "application/json", 413),
    ],
)
async def test_q14_a_body_that_is_no_good_is_refused(
    body: bytes, content_type: str, code: int
) -> None:
    async with an_api(the_scene()) as api:
        answered, told = await api.post("/api/v1/pause", body, **{"Content-Type": content_type})
        assert not api.daemon.supervisor.keepers[KEY].held.is_paused

    assert answered == code
    assert set(told["error"]) == {"code", "message"}
    assert told["error"]["message"]


async def test_an_unknown_task_is_told_with_what_is_near() -> None:
    async with an_api(the_scene()) as api:
        code, told = await api.post("/api/v1/close", {"symbol": "BTC/USD"})

    assert code == 404
    assert told["error"] == {
        "code": "unknown_task",
        "message": "there is no symbol 'BTC/USD' here. Did you mean BTC/USDT?",
    }


async def test_a_new_token_takes_the_place_of_the_old_one() -> None:
    async with an_api(the_scene()) as api:
        assert api.http.api is not None
        api.http.api.change_token("another-token")
        old = await api.post("/api/v1/pause", ALL)
        new = await api.post("/api/v1/pause", ALL, Authorization="Bearer another-token")

    assert (old[0], new[0]) == (401, 200)


async def test_without_an_api_there_is_none() -> None:
    async with serving() as client:
        code, _, _ = await client.get("/api/v1/status", **AUTHORIZED)

    assert code == 404


async def test_who_comes_without_the_token_leaves_one_line_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with an_api(the_scene()) as api:
        for _ in range(5):
            await api.post("/api/v1/pause", ALL, Authorization="Bearer guessed-token")

    lines = [line.getMessage() for line in caplog.records if "api_denied" in line.getMessage()]
    assert lines == ["api_denied: /api/v1/pause without the token, from 127.0.0.1"]
    assert "guessed-token" not in caplog.text
