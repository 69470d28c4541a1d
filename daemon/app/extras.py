"""Libraries that only some commands need: what to say where they are not installed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from daemon.core.errors import FatalError

RESEARCH_LIBRARIES = frozenset({"numpy", "optuna", "plotly", "pyarrow"})
CLUSTER_LIBRARIES = frozenset({"distributed", "dask", "cloudpickle"})


class MissingLibraryError(FatalError):
    """A library is not installed; the text says which one and how to get it."""


def research_libraries(what: str) -> AbstractContextManager[None]:
    """Import within this what needs the research libraries; `what` names who wants them.

    Raises MissingLibraryError where one of them is not installed.
    """
    return _wanted(RESEARCH_LIBRARIES, f"{what} needs the research libraries", "make research")


def require_charts() -> None:
    """Raise MissingLibraryError before the work whose page could not be drawn after it."""
    with research_libraries("the HTML report"):
        # Only here: plotly is large, and most runs draw nothing.
        import daemon.reports.html.charts  # noqa: F401, PLC0415 - whether it can be loaded


def cluster_library() -> AbstractContextManager[None]:
    """Import within this what works on a cluster. Raises MissingLibraryError without it."""
    return _wanted(CLUSTER_LIBRARIES, "a cluster needs Dask", "make cluster")


def apprise_library() -> AbstractContextManager[None]:
    """Import within this what speaks to other services. Raises MissingLibraryError without it."""
    return _wanted(
        frozenset({"apprise"}),
        "alerts.apprise needs the apprise library",
        "pip install --require-hashes -r requirements-alerts.lock",
    )


@contextmanager
def _wanted(names: frozenset[str], need: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in names:
            raise
        raise MissingLibraryError(f"{need} ({name} is missing): {remedy}") from error
