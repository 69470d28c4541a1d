"""What strategies earn and do."""

from daemon.adapters.sinks.prometheus import catalog as c
from deploy.grafana.panels import OF_STRATEGY, Board, Panel, Query, increase, quantiles, select
from deploy.grafana.series import GAUGES, STRATEGY, TASK, of_strategy, one

STRATEGIES = Board(
    uid="tickd-strategy",
    title="tickd: strategy",
    text="What strategies earn and do: equity, positions, milestones, win rate.",
    with_strategy=True,
    panels=(
        Panel(
            title="Equity",
            text="Gains less losses of closed positions after costs, as shares of each position;"
            " it goes on over restarts as far back as a start reads the journal.",
            unit="percentunit",
            width=12,
            queries=one(of_strategy(c.PNL), STRATEGY),
        ),
        Panel(
            title="Drawdown",
            text="How far the equity stands below its highest.",
            unit="percentunit",
            width=12,
            queries=one(of_strategy(c.DRAWDOWN), STRATEGY),
        ),
        Panel(
            title="Win rate",
            text="Positions that were closed with a gain after costs, of all that were closed,"
            " since the start.",
            unit="percentunit",
            queries=one(
                f"sum by (strategy) ({of_strategy(c.WON)})"
                f" / (sum by (strategy) ({of_strategy(c.CLOSED)}) > 0)",
                STRATEGY,
            ),
        ),
        Panel(
            title="Positions",
            text="1 while a long position is open, -1 while a short one is.",
            unit="short",
            queries=one(of_strategy(GAUGES["position"]), TASK),
        ),
        Panel(
            title="Progress of open positions",
            text="Up to 100 % on the way to the target, down to -100 % on the way to the stop.",
            unit="percentunit",
            queries=one(of_strategy(GAUGES["progress_ratio"]), TASK),
        ),
        Panel(
            title="Milestones",
            text="Levels (10 %, 20 % ...) that open positions reached, towards target and stop.",
            kind="bars",
            unit="short",
            queries=(
                Query(
                    expr=increase(c.PROFIT_LEVELS, by="strategy", where=OF_STRATEGY),
                    legend="{{strategy}} profit",
                ),
                Query(
                    expr=increase(c.LOSS_LEVELS, by="strategy", where=OF_STRATEGY),
                    legend="{{strategy}} loss",
                ),
            ),
        ),
        Panel(
            title="Signals",
            text="Signals by what became of them.",
            kind="bars",
            unit="short",
            queries=tuple(
                Query(
                    expr=increase(metric, by="strategy", where=OF_STRATEGY),
                    legend=f"{{{{strategy}}}} {name}",
                )
                for name, metric in (
                    ("scheduled", c.SCHEDULED),
                    ("opened", c.OPENED),
                    ("closed", c.CLOSED),
                    ("cancelled", c.CANCELLED),
                )
            ),
        ),
        Panel(
            title="Closes by reason",
            text="Why positions ended.",
            kind="bars",
            unit="short",
            queries=one(
                increase(c.CLOSES, by="strategy, reason", where=OF_STRATEGY),
                "{{strategy}} {{reason}}",
            ),
        ),
        Panel(
            title="Cancels by reason",
            text="Why waiting signals ended without a position.",
            kind="bars",
            unit="short",
            queries=one(
                increase(c.CANCELS, by="strategy, reason", where=OF_STRATEGY),
                "{{strategy}} {{reason}}",
            ),
        ),
        Panel(
            title="Refusals of risk profiles",
            text="Signals that a risk profile refused.",
            kind="bars",
            unit="short",
            queries=one(increase(c.REFUSALS, by="strategy", where=OF_STRATEGY), STRATEGY),
        ),
        Panel(
            title="Ready",
            text="1 while the task trades on fresh data.",
            unit="bool_yes_no",
            queries=one(of_strategy(GAUGES["ready"]), TASK),
        ),
        Panel(
            title="Since the last call",
            text="Market time since the strategy was last asked.",
            unit="s",
            queries=one(
                f"{select(c.MARKET_TIME)} - on (instance) group_right ()"
                f" ({of_strategy(GAUGES['last_decision_timestamp_seconds'])} > 0)",
                TASK,
            ),
        ),
        Panel(
            title="How long get_signal takes",
            text="All strategies of a daemon together.",
            unit="s",
            queries=quantiles(c.TIMINGS["strategy_execution"]),
        ),
        Panel(
            title="Restarts of tasks",
            text="Restarts of a task after it failed.",
            kind="bars",
            unit="short",
            queries=one(increase(c.TASK_RESTARTS, by="symbol, strategy", where=OF_STRATEGY), TASK),
        ),
        Panel(
            title="Memory of strategies",
            text="What hangs on a strategy's attributes, class and module, by estimate.",
            unit="bytes",
            queries=one(of_strategy(c.MEMORY), STRATEGY),
        ),
        Panel(
            title="Tasks of strategies",
            text="Tasks of the event loop that a strategy has started.",
            unit="short",
            queries=one(of_strategy(c.FOREIGN_TASKS), STRATEGY),
        ),
        Panel(
            title="How long a risk check takes",
            text="All strategies of a daemon together.",
            unit="s",
            queries=quantiles(c.TIMINGS["risk_validation"]),
        ),
    ),
)
