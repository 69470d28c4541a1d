"""Printing settings, their origins and their schema."""

import json
import tomllib

import pytest

from daemon.app.config.document import render_markdown, render_toml
from tests.app.cli.tickd import Shell
from tests.app.samples import CANARY, STRATEGY, write


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


def test_c3_what_the_environment_overrides_is_seen_and_secrets_are_masked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = shell.folder / "hook.secret"
    secret.write_text("of-the-file")
    secret.chmod(0o600)
    write(
        shell.folder,
        STRATEGY + "[rules]\npercent_fee = 0.2\n[alerts.webhook]\n"
        f'url = "https://hooks.example.com/{CANARY}"\nsecret_file = "{secret}"\n',
    )
    monkeypatch.setenv("TICKD__RULES__PERCENT_FEE", "0.3")
    monkeypatch.setenv("TICKD__EXCHANGE__API_KEY", CANARY)
    monkeypatch.setenv("TICKD__EXCHANGE__API_SECRET", CANARY)

    shown = shell("config", "show", "--origin")
    as_json = shell("config", "show", "--origin", "--json")

    for ended in (shown, as_json):
        assert ended.code == 0
        assert CANARY not in ended.out + ended.err
        assert "of-the-file" not in ended.out + ended.err
    told = json.loads(as_json.out)
    assert told["rules.percent_fee"] == {"value": 0.3, "origin": "TICKD__RULES__PERCENT_FEE"}
    assert told["exchange.api_key"]["value"] == "**********"
    assert told["exchange.api_key"]["origin"] == "TICKD__EXCHANGE__API_KEY"
    assert told["alerts.webhook.secret"]["value"] == "**********"
    origin = told["alerts.webhook.secret"]["origin"]
    assert origin == "the file of alerts.webhook.secret_file (config.toml:10:1)"


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
