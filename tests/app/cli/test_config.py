"""Printing settings, their origins and their schema."""

import json
import tomllib

from daemon.app.config.document import render_markdown, render_toml
from tests.app.cli.tickd import Shell
from tests.app.samples import STRATEGY, write


def test_without_a_file_the_packaged_default_is_shown_and_said(shell: Shell) -> None:
    ended = shell("config", "show")

    assert ended.code == 0
    assert ended.err == (
        f"tickd: no config.toml in {shell.folder}: using the packaged default"
        " (tickd config default > config.toml writes it down)\n"
    )
    assert "exchange.id" in ended.out


def test_each_value_is_shown_with_its_origin(shell: Shell) -> None:
    write(shell.folder, STRATEGY + "[rules]\npercent_fee = 0.2\n")

    ended = shell("config", "show", "--origin", "--set", "http.port=9000")

    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert rows["rules.percent_fee"] == ["0.2", "config.toml:7:1"]
    assert rows["http.port"] == ["9000", "--set", "http.port"]
    assert rows["log.level"] == ['"info"', "default"]


def test_the_settings_are_shown_as_json(shell: Shell) -> None:
    write(shell.folder, STRATEGY)

    plain = json.loads(shell("config", "show", "--json").out)
    told = json.loads(shell("config", "show", "--json", "--origin").out)

    assert plain["http"]["port"] == 8420
    assert told["http.port"] == {"value": 8420, "origin": "default"}


def test_the_default_and_the_reference_are_printed(shell: Shell) -> None:
    assert shell("config", "default").out == render_toml()
    assert shell("config", "reference").out == render_markdown()


def test_the_printed_default_is_a_file_that_works(shell: Shell) -> None:
    write(shell.folder, shell("config", "default").out)

    ended = shell("config", "show")

    assert ended.code == 0
    assert ended.err == ""


def test_the_schema_names_every_section_of_the_default(shell: Shell) -> None:
    schema = json.loads(shell("config", "schema").out)

    assert set(tomllib.loads(render_toml())) == set(schema["properties"])
    assert schema["additionalProperties"] is False
