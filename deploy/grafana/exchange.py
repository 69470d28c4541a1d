"""How fresh prices are, and what the exchange allows."""

from daemon.adapters.sinks.prometheus import catalog as c
from deploy.grafana.panels import OURS, Board, Panel, increase, quantiles, select
from deploy.grafana.series import GAUGES, INSTANCE, one

EXCHANGE = Board(
    uid="tickd-exchange",
    title="tickd: exchange and data",
    text="How fresh prices are, what the exchange allows, and what time it tells.",
    panels=(
        Panel(
            title="Age of prices",
            text="Since the price of a symbol was last confirmed. Nothing is decided on one that is"
            " older than max_price_age_s.",
            unit="s",
            width=12,
            queries=one(
                f"max by (instance, symbol) ({select(GAUGES['price_age_seconds'])})",
                "{{instance}} {{symbol}}",
            ),
        ),
        Panel(
            title="Request budget",
            text="Share of the exchange's request budget that is spent; at 100 % it refuses.",
            unit="percentunit",
            width=12,
            queries=one(select(c.READINGS["rate_limit_weight_used"]), INSTANCE),
        ),
        Panel(
            title="How long requests take",
            text="Requests for candles.",
            unit="s",
            queries=quantiles(c.TIMINGS["exchange_fetch"]),
        ),
        Panel(
            title="Requests",
            text="Requests for candles, a second.",
            unit="ops",
            queries=one(
                f"sum by (instance) (rate({c.TIMINGS['exchange_fetch'].name}_count{{{OURS}}}"
                "[$__rate_interval]))",
                INSTANCE,
            ),
        ),
        Panel(
            title="Refusals",
            text="Requests that the exchange refused because there were too many.",
            kind="bars",
            unit="short",
            queries=one(increase(c.READINGS["rate_limit_refusals"], by="instance"), INSTANCE),
        ),
        Panel(
            title="Clock of the exchange",
            text="How far its time was ahead of ours when last compared.",
            unit="s",
            queries=one(select(c.READINGS["exchange_clock_skew"]), INSTANCE),
        ),
        Panel(
            title="Steps of the clock",
            text="Jumps of the machine's clock, and corrections to the exchange's time.",
            kind="bars",
            unit="short",
            queries=one(increase(c.COUNTS["clock_steps"], by="instance"), INSTANCE),
        ),
        Panel(
            title="Minutes without trades",
            text="One-minute candles that were filled flat.",
            kind="bars",
            unit="short",
            queries=one(increase(c.READINGS["flat_minutes"], by="instance"), INSTANCE),
        ),
        Panel(
            title="Errors of exchange and feed",
            text="Where prices come from.",
            kind="bars",
            unit="short",
            queries=one(
                increase(c.ERRORS, by="instance, where", more='where=~"exchange|feed"'),
                "{{instance}} {{where}}",
            ),
        ),
        Panel(
            title="Age of ticks",
            text="Since the last tick of a symbol's slowest task.",
            unit="s",
            queries=one(
                f"max by (instance, symbol) ({select(GAUGES['tick_age_seconds'])})",
                "{{instance}} {{symbol}}",
            ),
        ),
        Panel(
            title="Market speed",
            text="Market seconds per second: 1 outside the sandbox.",
            unit="short",
            queries=one(select(c.MARKET_SPEED), INSTANCE),
        ),
    ),
)
