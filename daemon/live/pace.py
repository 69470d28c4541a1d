"""How often the feed looks at its symbols and asks the exchange."""

from dataclasses import dataclass

from daemon.core.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPace:
    """Machine seconds, all of them.

    A symbol whose stream is silent for `silence_s` is asked for by REST, every `poll_s` while
    that shows news, ever more seldom, up to `quiet_s`, where nothing is traded. A refused symbol
    is tried again after `rejected_s`. Two reconnects lie at least `reconnect_s_min` apart, two
    for the sake of one symbol `reconnect_again_s`. A stream that told nonsense of a symbol is not
    listened to for `deaf_s`. A strategy whose turn has come waits at most `final_s` until the
    minute before is known to be over, a quarter of one at most: exchanges tell of a new one
    within two seconds.
    """

    silence_s: float = 10.0
    poll_s: float = 5.0
    quiet_s: float = 20.0
    pulse_s: float = 0.5
    rejected_s: float = 60.0
    backoff_s_max: float = 30.0
    reconnect_s_min: float = 15.0
    reconnect_again_s: float = 120.0
    deaf_s: float = 60.0
    final_s: float = 2.5

    @classmethod
    def of(cls, rules: Rules, speed: float) -> "FeedPace":
        """Return the pace at which no price grows too old in a market that runs at `speed`."""
        age_s_max = rules.max_price_age_s / speed
        return cls(
            silence_s=_between(age_s_max / 6, 0.5, 10.0),
            poll_s=_between(age_s_max / 12, 0.5, 5.0),
            quiet_s=_between(age_s_max / 3, 0.5, 20.0),
            pulse_s=_between(age_s_max / 120, 0.1, 0.5),
            final_s=min(15.0 / speed, 2.5),
        )

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row (at least one)."""
        return min(self.poll_s * 2.0 ** min(failures - 1, 10), self.backoff_s_max)


def _between(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
