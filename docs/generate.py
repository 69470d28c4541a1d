"""Writes the pages that are generated from the code: `python -m docs.generate`."""
# ruff: noqa: INP001 - a script beside the pages that it writes, not a package

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from daemon.adapters.http.openapi import openapi_bytes
from daemon.adapters.sinks.prometheus.document import metrics_document
from daemon.app.config.document import render_markdown
from daemon.app.unit_files import shipped_units
from docs.cli_page import render_cli
from docs.events_page import render_events
from docs.names_page import render_names
from docs.states_page import render_states

FOLDER = Path(__file__).parent
UNITS_FOLDER = FOLDER.parent / "systemd"

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "cli.md": render_cli,
        "configuration.md": render_markdown,
        "events.md": render_events,
        "metrics.md": metrics_document,
        "names.md": render_names,
        "openapi.json": lambda: openapi_bytes().decode(),
        "states.md": render_states,
    }
)
"""Every generated page, and what makes its text."""


def main() -> None:
    """Write every generated page, and every shipped unit, into its place."""
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")
    for name, text in shipped_units().items():
        (UNITS_FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
