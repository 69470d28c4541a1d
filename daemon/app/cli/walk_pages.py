"""The pages of `tickd walk --html` and `tickd optimize --html`."""

# ruff: noqa: PLC0415 - late imports: plotly is large, and most runs draw nothing

from pathlib import Path

from daemon.app.cli.walk_plan import Stage
from daemon.app.extras import research_libraries
from daemon.app.report_files import write_whole
from daemon.app.walker_run import walker_remarks
from daemon.core.search import SearchResult
from daemon.reports.text import moment
from daemon.research.walker import WalkerResult


def require_charts() -> None:
    """Raise MissingLibraryError before the work whose page could not be drawn after it."""
    with research_libraries("the HTML report"):
        import daemon.reports.html.charts  # noqa: F401 - only whether it can be loaded


def write_walk_page(place: Path, result: WalkerResult, stage: Stage) -> Path:
    """Write the page of a walk beside its report, and return its path."""
    from daemon.reports.html.walk_page import render_walk_page

    lanes = [backtest.lanes[0] for backtest in result.backtests]
    about = (
        ("Source", stage.told),
        ("Exchange", stage.terms.exchange_name),
        ("From", moment(stage.frame.start_ms)),
        ("To", moment(stage.frame.end_ms)),
        ("Fingerprint", stage.minutes.fingerprint),
    )
    text = render_walk_page(
        result.statistics,
        {lane.key.strategy_name: lane.worst_case for lane in lanes if lane.worst_case is not None},
        list(walker_remarks(result, with_worst_case=False)),
        about,
    )
    return _written(place, text)


def write_search_page(place: Path, result: SearchResult) -> Path:
    """Write the page of a search beside its report, and return its path."""
    from daemon.reports.html.search_page import render_search_page

    return _written(place, render_search_page(result))


def _written(place: Path, text: str) -> Path:
    path = place.with_suffix(".html")
    write_whole(path, text)
    return path
