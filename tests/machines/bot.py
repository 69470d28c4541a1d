"""A Bot API on loopback for the machine of a check; what was sent is in /tmp/sent.json."""

import asyncio
import json
from pathlib import Path

from aiohttp import web

from tests.adapters.sinks.telegram.bot_server import BotServer

PORT = 9099
SENT = Path("/tmp/sent.json")


async def main() -> None:
    server = BotServer()
    runner = web.ServerRunner(web.Server(server.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PORT).start()
    while True:
        await asyncio.to_thread(SENT.write_text, json.dumps(server.texts))
        await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run(main())
