"""The parts that dashboards are made of: a query asks only for metrics that the daemon has.

Metrics are given as entries of the daemon's own catalog, never as text: one that is renamed changes
every committed dashboard, which a test finds, and one that is gone cannot be imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from daemon.adapters.sinks.prometheus.catalog import Metric

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
OURS = 'job="tickd", instance=~"$instance"'
OF_STRATEGY = f'{OURS}, strategy=~"$strategy"'
HEIGHT = 8
COLUMNS = 24

Unit = Literal["bool_yes_no", "bytes", "dateTimeAsIso", "ops", "percentunit", "s", "short", "none"]
Kind = Literal["lines", "bars", "number", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One PromQL expression, and how its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture: what it shows in words, its unit and its queries. `width` is in columns."""

    title: str
    text: str
    unit: Unit
    queries: Sequence[Query]
    kind: Kind = "lines"
    width: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard; `with_strategy` lets its reader choose strategies too."""

    uid: str
    title: str
    text: str
    panels: Sequence[Panel]
    with_strategy: bool = False


def select(metric: Metric, more: str = "", where: str = OURS) -> str:
    """Return the selector of `metric` for the chosen instances."""
    return f"{metric.name}{{{where}{', ' + more if more else ''}}}"


def rate(metric: Metric, *, by: str, more: str = "", where: str = OURS) -> str:
    """Return how fast a counter grows, a second."""
    return f"sum by ({by}) (rate({select(metric, more, where)}[$__rate_interval]))"


def increase(metric: Metric, *, by: str, more: str = "", where: str = OURS) -> str:
    """Return by how much a counter has grown in the step that is drawn."""
    return f"sum by ({by}) (increase({select(metric, more, where)}[$__rate_interval]))"


def quantile(share: float, metric: Metric) -> str:
    """Return a quantile (0 to 1) of a histogram, of each instance."""
    buckets = f"rate({metric.name}_bucket{{{OURS}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (instance, le) ({buckets}))"


def quantiles(metric: Metric) -> tuple[Query, ...]:
    """Return the usual case and the bad one of a histogram."""
    return tuple(
        Query(expr=quantile(share, metric), legend=f"{{{{instance}}}} {name}")
        for share, name in ((0.5, "half"), (0.99, "99 of 100"))
    )


def build(board: Board) -> model.Dashboard:
    """Return the dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.text)
        .tags(["tickd"])
        .editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("utc")
        .link(
            dashboard.DashboardLink("tickd")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags(["tickd"])
            .as_dropdown(as_dropdown=False)
            .keep_time(keep_time=True)
            .include_vars(include_vars=True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Source").type("prometheus")
        )
        .with_variable(_choice("instance", 'tickd_build_info{job="tickd"}'))
    )
    if board.with_strategy:
        made = made.with_variable(_choice("strategy", f"tickd_task_ready{{{OURS}}}"))
    for number, (panel, place) in enumerate(_placed(board.panels), 1):
        made = made.with_panel(_panel(panel).id(number).grid_pos(place))
    return made.build()


def _choice(label: str, of: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(label)
        .label(label.capitalize())
        .datasource(SOURCE)
        .query(f"label_values({of}, {label})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(model.VariableOption(text="All", value="$__all", selected=True))
    )


def _placed(panels: Sequence[Panel]) -> list[tuple[Panel, model.GridPos]]:
    placed: list[tuple[Panel, model.GridPos]] = []
    column = row = 0
    for panel in panels:
        height = HEIGHT // 2 if panel.kind == "number" else HEIGHT
        if column + panel.width > COLUMNS:
            column, row = 0, row + placed[-1][1].h
        placed.append((panel, model.GridPos(h=height, w=panel.width, x=column, y=row)))
        column += panel.width
    return placed


def _panel(panel: Panel) -> timeseries.Panel | stat.Panel | table.Panel:
    made: timeseries.Panel | stat.Panel | table.Panel
    match panel.kind:
        case "number":
            made = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        case "table":
            made = table.Panel()
        case "lines" | "bars":
            made = _over_time(panel)
    made = made.title(panel.title).description(panel.text).unit(panel.unit).datasource(SOURCE)
    for place, query in enumerate(panel.queries):
        made = made.with_target(_target(query, "ABCDEFGH"[place], panel.kind))
    return made


def _over_time(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.LIST)
        .placement(common_model.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    many = common.VizTooltipOptions().mode(common_model.TooltipDisplayMode.MULTI)
    made = timeseries.Panel().legend(legend).tooltip(many).fill_opacity(8).line_width(1)
    if panel.kind == "bars":
        stacked = common.StackingConfig().mode(common_model.StackingMode.NORMAL)
        made = made.draw_style(common_model.GraphDrawStyle.BARS).fill_opacity(60).stacking(stacked)
    return made


def _target(query: Query, letter: str, kind: Kind) -> prometheus.Dataquery:
    made = (
        prometheus.Dataquery()
        .ref_id(letter)
        .datasource(SOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
    )
    if kind == "table":
        return made.instant().format(prometheus_model.PromQueryFormat.TABLE)
    return made.range()
