"""One lane of alerts to people: the grave ones at once and one by one, or all the others.

A messenger gets two lanes, each with a cursor of its own on the journal. What is critical never
waits behind what is not, for quiet hours, or for a digest. The other lane is told one by one while
it keeps up; what has piled up (an outage, quiet hours, a flood) becomes one digest. Neither keeps
more in memory than the entries it was just given and the sums of a digest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from daemon.core.alert_digest import Digest
from daemon.core.alert_kinds import AlertLevel
from daemon.core.alert_words import words_of
from daemon.core.alerts import LEVELS, Alert, AlertFilter, Place, alerts_of, is_alert
from daemon.core.errors import RateLimitedError, RejectedError
from daemon.core.records import Journaled
from daemon.ports import Message, Messenger, Progress

PATIENCE_S = 120.0
"""To be told to wait longer than this is an outage, and reported as one."""

QUIET_LOOK_S = 600.0
"""How often quiet hours are looked at again: clocks are set, and machines sleep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessengerPreferences:
    """What a person wants told, and how.

    More than `digest_over` alerts at once become a digest. Alerts below `sound_level` make no
    sound. `quiet_s` says for how many seconds from now on nothing but what is critical is wanted.
    """

    wanted: AlertFilter = field(default_factory=AlertFilter)
    sound_level: AlertLevel = "notice"
    digest_over: int = 10
    quiet_s: Callable[[], float] = lambda: 0.0


class AlertLane:
    """An alert sink that tells a messenger what is critical, or all but what is."""

    def __init__(
        self, name: str, messenger: Messenger, preferences: MessengerPreferences, *, is_urgent: bool
    ) -> None:
        self.name = name
        self._messenger = messenger
        self._preferences = preferences
        self._is_urgent = is_urgent
        self._done: Place = (0, 0)
        self._digest: Digest | None = None
        self._was_quiet = False

    def wants(self, journaled: Journaled) -> bool:
        """Say whether an entry holds anything for this lane."""
        return is_alert(journaled.entry) and any(True for _ in self._wanted([journaled]))

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> Progress | None:
        """Tell what `entries` hold, or sum it up. Raises what the messenger raises."""
        first = entries[0].number if entries else 1
        if not self._is_urgent and (quiet_s := self._preferences.quiet_s()) > 0:
            self._was_quiet = True
            return Progress(number=first - 1, wait_s=min(quiet_s, QUIET_LOOK_S))
        alerts = list(self._wanted(entries))
        if self._is_piled_up(alerts, behind):
            return await self._sum_up(alerts, behind)
        return await self._tell(alerts)

    def _wanted(self, entries: Sequence[Journaled]) -> Iterator[Alert]:
        for journaled in entries:
            for alert in alerts_of(journaled):
                is_urgent = alert.level == "critical"
                if is_urgent == self._is_urgent and self._preferences.wanted.wants(alert):
                    yield alert

    def _is_piled_up(self, alerts: Sequence[Alert], behind: int) -> bool:
        if self._is_urgent:
            return False
        if self._digest is not None or len(alerts) > self._preferences.digest_over:
            return True
        # After quiet hours what waited is one message, be it ever so little.
        return self._was_quiet and (behind > 0 or len(alerts) > 1)

    async def _sum_up(self, alerts: Sequence[Alert], behind: int) -> Progress | None:
        digest = self._digest = self._digest or Digest()
        for alert in alerts:
            if alert.place > self._done:
                digest.add(alert)
        if behind > 0:
            return Progress(number=0, is_held=True)
        if digest.total:
            try:
                waits = await self._sent(self._message_of(digest))
            except RejectedError:
                # The digest of nobody: its alerts come again, one by one.
                self._digest = None
                raise
            if waits is not None:
                return Progress(number=0, wait_s=waits)
        self._done = max(self._done, digest.last)
        self._digest, self._was_quiet = None, False
        return None

    def _message_of(self, digest: Digest) -> Message:
        number, position = digest.last
        return Message(id=f"digest-{number}-{position}", words=digest.words())

    async def _tell(self, alerts: Sequence[Alert]) -> Progress | None:
        for alert in alerts:
            if alert.place <= self._done:
                continue
            is_silent = LEVELS.index(alert.level) < LEVELS.index(self._preferences.sound_level)
            message = Message(
                id=f"{alert.place}",
                words=words_of(alert),
                is_silent=is_silent,
                is_urgent=self._is_urgent,
            )
            waits = await self._sent(message)
            if waits is not None:
                return Progress(number=alert.number - 1, wait_s=waits)
            self._done = alert.place
        self._was_quiet = False
        return None

    async def _sent(self, message: Message) -> float | None:
        """Send; return None once it has arrived, else how many seconds to wait for one's turn."""
        try:
            await self._messenger.send(message)
        except RateLimitedError as error:
            if error.retry_after_s > PATIENCE_S:
                raise
            return max(error.retry_after_s, 0.0)
        return None
