"""Writing reports: a reader never sees half a file."""

from pathlib import Path


def write_report(place: Path, text: str, record: str) -> None:
    """Write `text` to `place`, and `record` beside it with the suffix .json."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text)
    write_whole(place.with_suffix(".json"), record)


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that `path` is either as before or whole."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
