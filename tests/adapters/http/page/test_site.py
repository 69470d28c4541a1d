"""The page over real sockets: its files, its figures, its stream; harmless like every page."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.adapters.http.page import Recent, Site
from daemon.adapters.http.page import site as site_module
from daemon.adapters.http.page.site import STREAMS_MAX, plotly_script
from daemon.adapters.http.server import HttpServer
from daemon.core.candles import Candle
from daemon.core.redaction import Redactor
from tests.adapters.http.http_stage import CANARY, Client, SetStatus, SomeMetrics, serving
from tests.adapters.storage.samples import a_closed, an_opened

STREAM = b"GET /page/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def shown(recent: Recent | None = None) -> AsyncIterator[tuple[Client, Recent]]:
    """Serve the page over a daemon's status."""
    remembered = recent or Recent()
    redactor = Redactor([CANARY])
    status, metrics = SetStatus(), SomeMetrics()
    http = HttpServer(status, metrics, redactor=redactor)
    http.site = Site(status, remembered, redactor)
    await asyncio.to_thread(http.site.load)
    await http.start("127.0.0.1", 0)
    try:
        yield Client(http, status, metrics), remembered
    finally:
        await http.stop()


async def told(reader: asyncio.StreamReader, name: str) -> str:
    """Return the data of the next event called `name`."""
    async with asyncio.timeout(10.0):
        while True:
            if (await reader.readline()).strip() == f"event: {name}".encode():
                return (await reader.readline()).decode().removeprefix("data: ")


async def test_a_browser_gets_the_page_and_a_script_gets_text() -> None:
    async with shown() as (client, _):
        page = await client.get("/", Accept="text/html,application/xhtml+xml")
        text = await client.get("/")

    assert page[0] == 200
    assert page[1]["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page[1]["Content-Security-Policy"]
    assert b"<main>" in page[2]
    assert text[1]["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("name", ["app.js", "app.css", "charts.js", "icon.svg"])
async def test_its_files_are_there_and_ask_nobody_else(name: str) -> None:
    async with shown() as (client, _):
        code, _, body = await client.get(f"/page/{name}")

    assert code == 200
    # Offline, from the daemon alone: the one address is the name of a format.
    assert b"http" not in body.replace(b"http://www.w3.org/2000/svg", b"")


@pytest.mark.parametrize("path", ["/page/", "/page/index.htm", "/page/../server.py", "/page/x%00"])
async def test_q14_there_are_no_other_files(path: str) -> None:
    async with shown() as (client, _):
        code, _, _ = await client.get(path)

    assert code == 404


async def test_q7_the_page_is_for_its_own_name_and_changes_nothing() -> None:
    async with shown() as (client, _):
        for path in ("/page/app.js", "/page/overview.json", "/page/stream"):
            assert (await client.get(path, Host="evil.example"))[0] == 421
            assert (await client.get(path, Origin="http://evil.example"))[0] == 403
            assert (await client.get(path, method="POST"))[0] == 405


async def test_the_overview_has_status_trades_and_events_and_no_secret() -> None:
    recent = Recent()
    recent.take(an_opened())
    recent.take(a_closed())
    recent.on_line(f"key {CANARY}")
    async with shown(recent) as (client, _):
        _, _, body = await client.get("/page/overview.json")
        reader, writer = await client.opened()
        writer.write(STREAM)
        line = await told(reader, "log")
        writer.close()

    overview = json.loads(body)
    assert overview["status"]["tasks"]
    assert [close["pnl_percent"] for close in overview["closes"]] == [1.5]
    assert [event["name"] for event in overview["happenings"]] == ["signal_opened", "signal_closed"]
    assert overview["has_plotly"] is False
    assert CANARY not in line
    assert CANARY.encode() not in body


async def test_candles_are_of_the_symbol_that_is_asked_for() -> None:
    recent = Recent()
    recent.on_minute("BTC/USDT", Candle(60_000, 1.0, 2.0, 0.5, 1.5, 3.0))
    async with shown(recent) as (client, _):
        _, _, body = await client.get("/page/candles.json?symbol=BTC%2FUSDT")
        _, _, none = await client.get("/page/candles.json?symbol=%3Cscript%3E")

    assert json.loads(body)["minutes"] == [[60_000, 1.0, 2.0, 0.5, 1.5, 3.0]]
    assert json.loads(none)["minutes"] == []


async def test_the_stream_tells_what_happens_from_now_on() -> None:
    async with shown() as (client, recent):
        recent.take(an_opened(number=1))
        reader, writer = await client.opened()
        writer.write(STREAM)
        assert json.loads(await told(reader, "status"))["is_live"]
        recent.take(a_closed(number=2))
        event = json.loads(await told(reader, "happened"))
        writer.close()

    assert (event["name"], event["signal_id"]) == ("signal_closed", a_closed(number=2).signal.id)


async def test_a_stream_outlives_the_time_of_other_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.http.server.CONNECTION_S_MAX", 0.2)
    monkeypatch.setattr(site_module, "BEAT_S", 0.1)
    async with shown() as (client, _):
        reader, writer = await client.opened()
        writer.write(STREAM)
        for _ in range(5):
            assert await told(reader, "status")
        writer.close()


async def test_only_a_few_may_look_at_once_and_all_are_let_go_at_the_end() -> None:
    writers = []
    async with shown() as (client, _):
        for _ in range(STREAMS_MAX):
            reader, writer = await client.opened()
            writer.write(STREAM)
            await told(reader, "status")
            writers.append(writer)
        code, _, body = await client.get("/page/stream")
        async with asyncio.timeout(3.0):
            await client.http.stop()
    for writer in writers:
        writer.close()

    assert code == 503
    assert b"Too many" in body


async def test_who_asks_for_the_head_of_the_stream_takes_nobodys_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site_module, "STREAMS_MAX", 0)
    async with shown() as (client, _):
        code, headers, body = await client.get("/page/stream", method="HEAD")

    assert (code, body) == (200, b"")
    assert headers["Content-Type"].startswith("text/event-stream")


async def test_a_reader_that_has_gone_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_module, "STREAMS_MAX", 1)
    monkeypatch.setattr(site_module, "BEAT_S", 0.05)
    async with shown() as (client, _):
        reader, writer = await client.opened()
        writer.write(STREAM)
        await told(reader, "status")
        writer.close()
        async with asyncio.timeout(5.0):
            while True:
                reader, writer = await client.opened()
                writer.write(STREAM)
                if b"200" in await reader.readline():
                    break
                writer.close()
                await asyncio.sleep(0.05)
        writer.close()


def test_plotlys_script_is_where_its_package_has_it(tmp_path: Path) -> None:
    assert plotly_script(tmp_path) is None
    script = tmp_path / "package_data" / "plotly.min.js"
    script.parent.mkdir()
    script.touch()
    assert plotly_script(tmp_path) == script


async def test_without_plotly_its_script_is_told_to_be_missing() -> None:
    async with shown() as (client, _):
        code, _, body = await client.get("/page/plotly.js")

    assert code == 404
    assert b"make research" in body


async def test_without_a_site_there_is_only_text() -> None:
    async with serving() as client:
        assert (await client.get("/page/app.js"))[0] == 404
        assert b"/readyz" in (await client.get("/", Accept="text/html"))[2]
