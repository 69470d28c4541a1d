"""Every daemon at a glance."""

from daemon.adapters.sinks.prometheus import catalog as c
from deploy.grafana.panels import OURS, Board, Panel, Query, increase, select
from deploy.grafana.series import GAUGES, INSTANCE, one

FLEET = Board(
    uid="tickd-fleet",
    title="tickd: fleet",
    text="Every daemon at a glance: does it run, is it well, what does it earn.",
    panels=(
        Panel(
            title="Running",
            text="Daemons that answer Prometheus.",
            kind="number",
            unit="short",
            width=4,
            queries=one(f"count(up{{{OURS}}} == 1) or vector(0)", "running"),
        ),
        Panel(
            title="Not ready",
            text="Daemons with a task that does not trade on fresh data.",
            kind="number",
            unit="short",
            width=4,
            queries=one(f"count({select(c.READY)} == 0) or vector(0)", "not ready"),
        ),
        Panel(
            title="Not answering its event loop",
            text="Daemons whose event loop has not beaten for five seconds.",
            kind="number",
            unit="short",
            width=4,
            queries=one(f"count({select(c.LIVE)} == 0) or vector(0)", "not live"),
        ),
        Panel(
            title="Open positions",
            text="Positions that are open now, long and short.",
            kind="number",
            unit="short",
            width=4,
            queries=one(f"sum(abs({select(GAUGES['position'])}))", "open"),
        ),
        Panel(
            title="Blocked tasks",
            text="Tasks that wait for a person: tickd state repair.",
            kind="number",
            unit="short",
            width=4,
            queries=one(f"sum({select(GAUGES['blocked'])})", "blocked"),
        ),
        Panel(
            title="Alerts that fire",
            text="Alerts of tickd that fire now, without the heartbeat.",
            kind="number",
            unit="short",
            width=4,
            queries=one(
                'count(ALERTS{alertname=~"Tickd.+", alertname!="TickdWatchdog",'
                ' alertstate="firing"}) or vector(0)',
                "firing",
            ),
        ),
        Panel(
            title="What runs",
            text="Version, exchange and mode of each daemon.",
            kind="table",
            unit="none",
            width=12,
            queries=one(
                f"max by (instance, version, exchange, mode) ({select(c.BUILD)})", INSTANCE
            ),
        ),
        Panel(
            title="Up for",
            text="How long each daemon has run: a fall is a restart.",
            unit="s",
            width=12,
            queries=one(select(c.UPTIME), INSTANCE),
        ),
        Panel(
            title="Ready",
            text="1 while every task trades on fresh data.",
            unit="bool_yes_no",
            queries=one(select(c.READY), INSTANCE),
        ),
        Panel(
            title="Tasks by condition",
            text="All daemons together.",
            kind="bars",
            unit="short",
            queries=one(f"sum by (condition) ({select(c.TASKS)})", "{{condition}}"),
        ),
        Panel(
            title="Equity",
            text="Gains less losses of closed positions after costs, as shares of each position.",
            unit="percentunit",
            queries=one(f"sum by (instance) ({select(c.PNL)})", INSTANCE),
        ),
        Panel(
            title="Errors",
            text="Errors that the daemons go on after, by where.",
            kind="bars",
            unit="short",
            queries=one(increase(c.ERRORS, by="instance, where"), "{{instance}} {{where}}"),
        ),
        Panel(
            title="Open circuits, pauses, orphans",
            text="Tasks that are left alone or paused, and positions whose strategy is gone.",
            unit="short",
            queries=(
                Query(expr=f"sum({select(GAUGES['circuit_open'])})", legend="circuits open"),
                Query(expr=f"sum({select(GAUGES['paused'])})", legend="paused"),
                Query(expr=f"sum({select(c.ORPHANS)})", legend="orphans"),
            ),
        ),
        Panel(
            title="Ends and restarts",
            text="Errors that ended a run, and tasks that were started again.",
            kind="bars",
            unit="short",
            queries=(
                Query(expr=increase(c.EXITS, by="instance"), legend="{{instance}} ended"),
                Query(
                    expr=increase(c.COUNTS["task_restarts"], by="instance"),
                    legend="{{instance}} task restarts",
                ),
            ),
        ),
    ),
)
