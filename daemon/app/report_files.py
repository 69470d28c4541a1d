"""Writing reports: a reader never sees half a file."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

from daemon.app.extras import MissingLibraryError
from daemon.core.errors import RejectedError


class ReportError(RejectedError, ValueError):
    """Reports cannot be written where they were asked for; one line says why."""


def write_report(place: Path, text: str, record: str) -> None:
    """Write `text` to `place`, and `record` beside it with the suffix .json."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text)
    write_whole(place.with_suffix(".json"), record)


def write_page_if_drawn(place: Path, draw: Callable[[], str]) -> None:
    """Write what `draw` returns beside the report at `place`, with the suffix .html.

    A program may do without plotly: where `draw` misses it, there is no page.
    """
    try:
        page = draw()
    except MissingLibraryError:
        return
    write_whole(place.with_suffix(".html"), page)


def make_folder(folder: Path) -> None:
    """Make `folder`, before the work whose reports it is for. Raises ReportError in one line."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ReportError(f"{folder}: no report can be written there: {error.strerror}") from error


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that `path` is either as before or whole."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
