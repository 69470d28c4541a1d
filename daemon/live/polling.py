"""When REST must be asked about a symbol: for what the stream missed, or in its place."""

from math import inf

from daemon.live.pace import FeedPace
from daemon.live.symbol_feed import SymbolFeed


class Polling:
    """Decides for one symbol, by machine time. One request is on its way at most."""

    def __init__(self, feed: SymbolFeed, pace: FeedPace) -> None:
        self.feed = feed
        self.is_asking = False
        self.is_rejected = False
        self.asked_for_line_s = -inf
        self._pace = pace
        self._wait_s = pace.silence_s
        self._not_before_s = -inf
        self._deaf_until_s = -inf
        self._failures = 0

    def is_due(self, now_s: float, *, is_line_up: bool) -> bool:
        """Say whether REST must be asked now."""
        if self.is_asking or now_s < self._not_before_s:
            return False
        feed = self.feed
        if feed.book.needs_rest or feed.distrust or feed.confirmed_at_s is None:
            return True
        is_streaming = is_line_up and not self.is_deaf(now_s)
        wait_s = self._wait_s if is_streaming else self._pace.poll_s
        return now_s - feed.confirmed_at_s >= wait_s

    def is_deaf(self, now_s: float) -> bool:
        """Say whether the stream is not listened to, since it told nonsense."""
        return now_s < self._deaf_until_s

    def is_silent(self, now_s: float, line_begun_s: float) -> bool:
        """Say whether the line that began at `line_begun_s` says nothing about the symbol."""
        return now_s - max(self.feed.heard_at_s, line_begun_s) >= self._pace.silence_s

    def heard(self, now_s: float) -> None:
        """Note that the stream told something; after a silence it may have missed something."""
        if now_s - self.feed.heard_at_s >= self._pace.silence_s:
            self.feed.book.line_paused()
        self.feed.heard_at_s = now_s
        self._wait_s = self._pace.silence_s

    def go_deaf(self, now_s: float) -> None:
        """Listen to the stream no more for a while."""
        self._deaf_until_s = now_s + self._pace.deaf_s
        self.feed.book.line_paused()

    def answered(self, now_s: float, *, has_news: bool) -> None:
        """Note an answer; where it held no news the next may wait longer."""
        self.is_rejected = False
        self._failures = 0
        self._wait_s = self._pace.poll_s if has_news else min(2 * self._wait_s, self._pace.quiet_s)
        self._not_before_s = now_s + min(1.0, self._pace.poll_s)

    def failed(self, now_s: float) -> None:
        """Note a failure: the next try waits longer."""
        self._failures += 1
        self._not_before_s = now_s + self._pace.backoff_s(self._failures)

    def rejected(self, now_s: float) -> None:
        """Note that the exchange does not know the symbol, or not any more."""
        self.is_rejected = True
        self._not_before_s = now_s + self._pace.rejected_s
