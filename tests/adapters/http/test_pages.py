"""The pages: true, also about what is stale or broken, and without secrets."""

import asyncio
import json
from dataclasses import asdict

import pytest

from daemon.ports import DaemonStatus
from tests.adapters.http.http_stage import (
    CANARY,
    SomeMetrics,
    serving,
)
from tests.adapters.sinks.some_status import a_status, a_task


async def test_the_index_lists_the_pages() -> None:
    async with serving() as client:
        status, _, body = await client.get("/")
        pages = [word for word in body.decode().split() if word.startswith("/")]
        found = [(await client.get(page))[0] for page in pages]

    assert status == 200
    assert pages == ["/livez", "/readyz", "/status", "/metrics"]
    assert found == [200] * 4


async def test_status_is_everything_as_json() -> None:
    async with serving() as client:
        code, headers, body = await client.get("/status?pretty=1")
        expected = json.loads(json.dumps(asdict(client.status.snapshot())))

    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == expected


async def test_l9_live_says_whether_the_loop_answers() -> None:
    async with serving() as client:
        live = await client.get("/livez")
        client.status.now = a_status(is_live=False)
        dead = await client.get("/livez")

    assert (live[0], live[2]) == (200, b'{"live":true}')
    assert (dead[0], dead[2]) == (503, b'{"live":false}')


async def test_ready_tells_how_each_task_stands() -> None:
    async with serving() as client:
        code, _, body = await client.get("/readyz")

    assert code == 200
    assert json.loads(body) == {
        "ready": True,
        "reasons": [],
        "tasks": [
            {
                "symbol": "BTC/USDT",
                "strategy": "breakout",
                "ready": True,
                "reason": "",
                "condition": "running",
                "state": "active",
                "data_age_s": 0.5,
                "tick_age_s": 0.25,
                "last_decision_ms": 1_700_000_000_000,
            }
        ],
    }


@pytest.mark.parametrize(
    "status",
    [
        a_status(a_task(), is_ready=False, reasons=("recovering",)),
        a_status(a_task(), a_task("ETH/USDT", is_ready=False, reason="price is 90 s old")),
    ],
    ids=["the daemon says so", "one task says so, whatever the daemon thinks"],
)
async def test_l9_ready_is_never_said_while_anything_is_stale(status: DaemonStatus) -> None:
    async with serving() as client:
        client.status.now = status
        code, _, body = await client.get("/readyz")

    assert code == 503
    assert json.loads(body)["ready"] is False


async def test_l9_a_status_that_breaks_is_no_good_news() -> None:
    async with serving() as client:
        client.status.now = None
        answers = [await client.get(page) for page in ("/livez", "/readyz", "/status")]

    assert [answer[0] for answer in answers] == [500] * 3


async def test_metrics_are_rendered_for_the_scraper() -> None:
    async with serving() as client:
        code, headers, body = await client.get("/metrics")

    assert code == 200
    assert headers["Content-Type"] == SomeMetrics.content_type
    assert body.startswith(b"tasks 1 ")


async def test_s5_scrapers_that_come_together_share_one_rendering() -> None:
    async with serving() as client, asyncio.TaskGroup() as group:
        scrapes = [group.create_task(client.get("/metrics")) for _ in range(10)]
        await asyncio.wait(scrapes)

        assert client.metrics.renderings == 1
        assert {scrape.result()[0] for scrape in scrapes} == {200}


async def test_head_says_the_same_without_a_body() -> None:
    async with serving() as client:
        get = await client.get("/livez")
        head = await client.get("/livez", method="HEAD")

    assert (head[0], head[2]) == (200, b"")
    assert head[1]["Content-Length"] == get[1]["Content-Length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_nothing_can_be_changed(method: str) -> None:
    async with serving() as client:
        code, headers, _ = await client.get("/status", method=method)

    assert (code, headers["Allow"]) == (405, "GET, HEAD")


async def test_q14_other_paths_are_not_there() -> None:
    async with serving() as client:
        codes = [
            (await client.get(path))[0]
            for path in ("/x", "/../etc/passwd", "/status/", "//status", "/%2e%2e/status", "*")
        ]

    assert set(codes) <= {400, 404}


async def test_every_answer_is_harmless_in_a_browser() -> None:
    async with serving() as client:
        answers = [
            await client.get("/"),
            await client.get("/status"),
            await client.get("/nothing"),
            await client.get("/", Host="evil.example"),
        ]

    for _, headers, _ in answers:
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "tickd"
        assert headers["Connection"] == "close"
        assert "Access-Control-Allow-Origin" not in headers


# -- Secrets ---------------------------------------------------------------------------------------


async def test_q5_no_page_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    reason = f"TransientError: GET https://x.example/?key={CANARY} and half \ud800"
    async with serving() as client:
        client.status.now = a_status(
            a_task(reason=reason, is_ready=False), reasons=(reason,), exchange=CANARY
        )
        bodies = [(await client.get(page))[2] for page in client.http._pages.by_path]
        echoed = await client.get(f"/{CANARY}", **{"X-Key": CANARY})
        client.status.now = None
        failed = await client.get("/status")

    for body in (*bodies, echoed[2], failed[2]):
        assert CANARY.encode() not in body
    assert sum(b"[redacted]" in body for body in bodies) == 4


async def test_what_breaks_is_logged_once_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as client:
        client.status.now = None
        code, _, body = await client.get("/status")

    assert (code, body) == (500, b"Something went wrong; the log says what.\n")
    assert [record.message for record in caplog.records] == ["http_failed: /status"]
