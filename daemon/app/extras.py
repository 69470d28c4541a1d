"""Libraries that only some commands need: what to say where they are not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.core.errors import FatalError

RESEARCH_LIBRARIES = frozenset({"numpy", "optuna", "plotly", "pyarrow"})


CLUSTER_LIBRARIES = frozenset({"distributed", "dask", "cloudpickle"})


class MissingLibraryError(FatalError):
    """A library is not installed; the text says which one and how to get it."""


@contextmanager
def research_libraries(what: str) -> Iterator[None]:
    """Import within this what needs the research libraries; `what` names who wants them.

    Raises MissingLibraryError where one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in RESEARCH_LIBRARIES:
            raise
        text = f"{what} needs the research libraries ({name} is missing): make research"
        raise MissingLibraryError(text) from error


@contextmanager
def cluster_library() -> Iterator[None]:
    """Import within this what works on a cluster. Raises MissingLibraryError without it."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in CLUSTER_LIBRARIES:
            raise
        text = f"a cluster needs Dask ({name} is missing): pip install 'tickd[cluster]'"
        raise MissingLibraryError(text) from error


@contextmanager
def apprise_library() -> Iterator[None]:
    """Import within this what speaks to other services. Raises MissingLibraryError without it."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name != "apprise":
            raise
        text = "alerts.apprise needs the apprise library: pip install 'tickd[alerts]'"
        raise MissingLibraryError(text) from error
