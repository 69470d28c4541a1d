"""The machine, the process, and how events get out."""

from daemon.adapters.sinks.prometheus import catalog as c
from deploy.grafana.panels import OURS, Board, Panel, Query, increase, quantiles, rate, select
from deploy.grafana.series import INSTANCE, one


def process(name: str) -> str:
    """Return the selector of a metric that the client library gives every process."""
    return f"process_{name}{{{OURS}}}"


PROCESS = Board(
    uid="tickd-process",
    title="tickd: host and process",
    text="Processor, memory, event loop, disk, and how events get out.",
    panels=(
        Panel(
            title="Processor",
            text="Processor time a second; 1 is one core.",
            unit="percentunit",
            queries=one(f"rate({process('cpu_seconds_total')}[$__rate_interval])", INSTANCE),
        ),
        Panel(
            title="Memory",
            text="Memory of the process, and its lowest mark of half an hour: what is never given"
            " back.",
            unit="bytes",
            queries=(
                Query(expr=process("resident_memory_bytes"), legend=INSTANCE),
                Query(
                    expr=f"instance:process_resident_memory_bytes:min30m{{{OURS}}}",
                    legend="{{instance}} lowest mark",
                ),
                Query(expr=select(c.READINGS["memory_limit"]), legend="{{instance}} limit"),
            ),
        ),
        Panel(
            title="Open files",
            text="Share of the files and sockets that the process may have open.",
            unit="percentunit",
            queries=one(f"{process('open_fds')} / {process('max_fds')}", INSTANCE),
        ),
        Panel(
            title="Event loop",
            text="How late the event loop runs its timers: everything else is as late.",
            unit="s",
            queries=quantiles(c.TIMINGS["loop_lag"]),
        ),
        Panel(
            title="Lateness of ticks",
            text="How late a tick begins.",
            unit="s",
            queries=quantiles(c.TIMINGS["tick_lateness"]),
        ),
        Panel(
            title="Length of ticks",
            text="How long a tick of one task takes.",
            unit="s",
            queries=quantiles(c.TIMINGS["live_tick"]),
        ),
        Panel(
            title="Writes of state",
            text="How long a durable write takes.",
            unit="s",
            queries=quantiles(c.TIMINGS["persistence_write"]),
        ),
        Panel(
            title="Appends to the journal",
            text="How long a durable append takes.",
            unit="s",
            queries=quantiles(c.TIMINGS["journal_append"]),
        ),
        Panel(
            title="Journal",
            text="Entries a second.",
            unit="ops",
            queries=one(rate(c.READINGS["journal_entries"], by="instance"), INSTANCE),
        ),
        Panel(
            title="Trouble with the disk",
            text="Writers that do not get through now, and files moved aside at the start.",
            unit="short",
            queries=(
                Query(
                    expr=select(c.READINGS["storage_failing"]), legend="{{instance}} writers fail"
                ),
                Query(
                    expr=select(c.COUNTS["quarantined_files"]), legend="{{instance}} quarantined"
                ),
            ),
        ),
        Panel(
            title="Queues of sinks",
            text="Events that wait for a log, a gauge or a messenger.",
            unit="short",
            queries=one(select(c.SINK_QUEUE), "{{instance}} {{sink}}"),
        ),
        Panel(
            title="Events out",
            text="Events a second, by sink and what became of them.",
            unit="ops",
            queries=one(
                rate(c.SINK_EVENTS, by="instance, sink, outcome"),
                "{{instance}} {{sink}} {{outcome}}",
            ),
        ),
        Panel(
            title="Lost log lines",
            text="Log lines that could not be written.",
            kind="bars",
            unit="short",
            queries=one(increase(c.READINGS["log_drops"], by="instance"), INSTANCE),
        ),
        Panel(
            title="What did not come back",
            text="Threads of strategies that never came back, and callbacks that went on although"
            " they were cancelled.",
            unit="short",
            queries=(
                Query(expr=select(c.COUNTS["leaked_threads"]), legend="{{instance}} threads"),
                Query(
                    expr=select(c.READINGS["callbacks_left_behind"]),
                    legend="{{instance}} callbacks",
                ),
            ),
        ),
        Panel(
            title="Started",
            text="Starts of the process within the last hour.",
            kind="bars",
            unit="short",
            queries=one(f"changes({process('start_time_seconds')}[1h])", INSTANCE),
        ),
    ),
)
