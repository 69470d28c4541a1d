"""Messages by apprise: mail, Slack, Discord, ntfy and a hundred other services, by one address.

apprise is an extra and takes a moment to import: nobody who has not configured it pays for it.
Its address holds passwords, so neither it nor what apprise says about it is ever told.
"""

import asyncio
import logging
from collections.abc import Callable

import apprise

from daemon.core.errors import FatalError, TransientError
from daemon.ports import Message

BODY_LENGTH_MAX = 3000
"""What the narrowest of the common services shows; apprise itself cuts where one takes less."""


class AppriseMessenger:
    """Sends to the service at `url`. apprise says no more than whether it worked.

    `redact` takes secrets out of every text. Raises FatalError for an address of no service.
    """

    def __init__(self, url: str, redact: Callable[[str], str], timeout_s: float) -> None:
        # It logs addresses: its own lines are nobody's business.
        logging.getLogger("apprise").disabled = True
        self._service = apprise.Apprise()
        if not self._service.add(url):
            raise FatalError("alerts.apprise.url is no address that apprise knows")
        self._redact = redact
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return "AppriseMessenger()"

    async def send(self, message: Message) -> None:
        """Send a message. Raises TransientError where it did not arrive."""
        words = message.words
        body = self._redact("\n".join(words.lines))[:BODY_LENGTH_MAX] or words.title
        kind = apprise.NotifyType.FAILURE if message.is_urgent else apprise.NotifyType.INFO
        try:
            async with asyncio.timeout(self._timeout_s):
                has_arrived = await self._service.async_notify(
                    title=self._redact(words.title),
                    body=body,
                    notify_type=kind,
                    body_format=apprise.NotifyFormat.TEXT,
                )
        except (TypeError, ValueError, OSError, TimeoutError) as error:
            name = type(error).__name__
        else:
            if has_arrived:
                return
            name = "not delivered"
        raise TransientError(f"apprise: {name}")
