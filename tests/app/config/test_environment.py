"""Settings from the environment: their types, and names that nothing reads."""

from pathlib import Path

import pytest

from daemon.app.config.environment import find_unknown, name_of, read_environment, variable_for
from tests.app.samples import load, one_problem, problems


def test_text_takes_the_type_of_its_setting() -> None:
    environ = {
        "TICKD__HTTP__PORT": "80",
        "TICKD__RULES__ALIGN": "false",
        "TICKD__RULES__PERCENT_FEE": "0.2",
        "TICKD__EXCHANGE__ID": "123",
        "TICKD__HTTP__ALLOWED_HOSTS": "a, b",
        "TICKD__DAEMON__STATE_DIR": "/var/lib/tickd",
    }

    assert read_environment(environ) == {
        "http": {"port": 80, "allowed_hosts": ["a", "b"]},
        "rules": {"align": False, "percent_fee": 0.2},
        "exchange": {"id": "123"},
        "daemon": {"state_dir": Path("/var/lib/tickd")},
    }


def test_lists_and_tables_may_be_json(tmp_path: Path) -> None:
    strategies = '[{"name": "x", "path": "m:C", "symbols": ["ETH/USDT"], "params": {"a": [1]}}]'
    environ = {
        "TICKD__STRATEGIES": strategies,
        "TICKD__EXCHANGE__URLS": '{"public": "http://127.0.0.1/api"}',
        "TICKD__HTTP__ALLOWED_HOSTS": '["a"]',
    }

    config = load(tmp_path, "", environ).config

    assert [(item.name, item.params) for item in config.strategies] == [("x", {"a": [1]})]
    assert config.exchange.urls == {"public": "http://127.0.0.1/api"}
    assert config.http.allowed_hosts == ("a",)


def test_a_key_of_a_section_given_as_json_is_merged(tmp_path: Path) -> None:
    environ = {"TICKD__RULES": '{"percent_fee": 0.3}', "TICKD__RULES__ALIGN": "false"}

    rules = load(tmp_path, "[rules]\npercent_slippage = 0.4\n", environ).config.rules

    assert (rules.percent_fee, rules.align, rules.percent_slippage) == (0.3, False, 0.4)


def test_names_may_be_written_in_small_letters(tmp_path: Path) -> None:
    config = load(tmp_path, "", {"tickd__http__port": "80"}).config

    assert config.http.port == 80


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "TICKD__RULES__PERCENT_FE",
            (
                "TICKD__RULES__PERCENT_FE: there is no such setting. Did you mean"
                " TICKD__RULES__PERCENT_FEE?"
            ),
        ),
        ("TICKD__RULZ__ALIGN", "there is no such setting. Did you mean TICKD__RULES__ALIGN?"),
        ("TICKD__", "there is no such setting. Did you mean"),
        ("TICKD__XQ", "there is no such setting."),
        ("TICKD__STRATEGIES__0__NAME", "there is no such setting."),
        (
            "TICKD_RULES__PERCENT_FEE",
            "TICKD_RULES__PERCENT_FEE: is not read. Did you mean TICKD__RULES__PERCENT_FEE?",
        ),
        ("TICKD_HTTP_PORT", "is not read. Did you mean TICKD__HTTP__PORT?"),
        ("TICKD__HTTP_PORT", "there is no such setting. Did you mean TICKD__HTTP__PORT?"),
    ],
)
def test_c1_an_unknown_name_is_refused(tmp_path: Path, name: str, told: str) -> None:
    assert told in one_problem(tmp_path, environ={name: "1"})


@pytest.mark.parametrize(
    "name",
    ["TICKD_CONFIG", "TICKD_PORT", "TICKD_SERVICE_HOST", "TICKD_PORT_8420_TCP", "TICK", "HOME"],
)
def test_names_of_others_are_left_alone(name: str) -> None:
    assert list(find_unknown({name: "1"})) == []


def test_an_empty_value_is_refused_rather_than_guessed_at(tmp_path: Path) -> None:
    line = one_problem(tmp_path, environ={"TICKD__LOG__LEVEL": ""})

    assert line == "TICKD__LOG__LEVEL: is set and empty. Give it a value, or unset it"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TICKD__HTTP__PORT", "eighty", 'http.port: must be a whole number, not "eighty"'),
        ("TICKD__RULES__PERCENT_FEE", "0,1", 'rules.percent_fee: must be a number, not "0,1"'),
        ("TICKD__RULES__ALIGN", "maybe", 'rules.align: must be true or false, not "maybe"'),
        ("TICKD__RISK", "{", 'risk: must be a list in brackets, not "{"'),
        ("TICKD__RULES", "x", "rules: must be a table"),
        ("TICKD__EXCHANGE__URLS", "[1]", "exchange.urls: must be a table, not a list"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    line = one_problem(tmp_path, environ={name: value})

    assert line.startswith(f"{name}: ")
    assert told in line


def test_an_unknown_key_of_a_known_table_is_told_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, environ={"TICKD__HTTP__PRT": "1"})) == 1


def test_each_setting_has_a_name_and_the_nearest_variable_is_found() -> None:
    path = ("alerts", "webhook", "secret")

    assert name_of(path) == "TICKD__ALERTS__WEBHOOK__SECRET"
    assert variable_for(path, {"TICKD__ALERTS": "{}"}) == "TICKD__ALERTS"
    assert variable_for(path, {"TICKD__HTTP": "{}"}) == ""
