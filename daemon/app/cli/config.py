"""Printing the settings: their values, where they come from, and their schema."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from daemon.app.cli.terminal import Terminal
from daemon.app.config.document import toml_value
from daemon.app.config.load import Loaded
from daemon.app.config.problems import KeyPath, key_text
from daemon.app.config.settings import Config


def show_config(terminal: Terminal, loaded: Loaded, *, with_origin: bool, as_json: bool) -> None:
    """Print every setting; secrets are shown as stars."""
    rows = list(leaves(loaded.config.plain()))
    if as_json:
        terminal.say(_json_text(loaded, rows, with_origin=with_origin))
        return
    table = Table(box=None, show_header=with_origin, pad_edge=False)
    table.add_column("setting", style="cyan", no_wrap=True)
    table.add_column("value", overflow="fold")
    if with_origin:
        table.add_column("origin", style="dim", overflow="fold")
    for path, value in rows:
        cells = [Text(key_text(path)), Text("" if value is None else toml_value(value))]
        if with_origin:
            cells.append(Text(loaded.sources.origin(path)))
        table.add_row(*cells)
    terminal.console().print(table)


def schema_text() -> str:
    """Return the JSON schema of the configuration file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Config.model_json_schema(mode="validation")
    schema["title"] = "tickd configuration"
    return json.dumps(schema, indent=2)


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every setting that is no table, with its path."""
    if isinstance(value, Mapping) and (value or not path):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def _json_text(loaded: Loaded, rows: list[tuple[KeyPath, Any]], *, with_origin: bool) -> str:
    if not with_origin:
        return json.dumps(loaded.config.plain(), indent=2)
    told = {
        key_text(path): {"value": value, "origin": loaded.sources.origin(path)}
        for path, value in rows
    }
    return json.dumps(told, indent=2)
