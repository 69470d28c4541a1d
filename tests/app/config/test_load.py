"""Which source of settings wins, and where the file is found."""

from pathlib import Path

import pytest

from daemon.app.config.document import render_toml
from daemon.app.config.load import load_config, merge
from daemon.app.config.problems import ConfigError
from tests.app.samples import CANARY, STRATEGY, load, one_problem, problems, write

FEE = "[rules]\npercent_fee = 0.2\n"


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    environ = {"TICKD__RULES__PERCENT_FEE": "0.3"}

    assert load(tmp_path).config.rules.percent_fee == 0.1
    assert load(tmp_path, FEE).config.rules.percent_fee == 0.2
    assert load(tmp_path, FEE, environ).config.rules.percent_fee == 0.3
    both = load(tmp_path, FEE, environ, ["rules.percent_fee=0.4"])
    assert both.config.rules.percent_fee == 0.4


def test_c3_each_value_knows_where_it_came_from(tmp_path: Path) -> None:
    environ = {"TICKD__HTTP__PORT": "9000", "TICKD__LOG": '{"level": "debug"}'}

    sources = load(tmp_path, FEE, environ, ["sandbox.speed=600"]).sources

    assert sources.origin(("rules", "percent_fee")) == f"{tmp_path}/config.toml:7:1"
    assert sources.origin(("rules", "align")) == "default"
    assert sources.origin(("http", "port")) == "TICKD__HTTP__PORT"
    assert sources.origin(("log", "level")) == "TICKD__LOG"
    assert sources.origin(("sandbox", "speed")) == "--set sandbox.speed"
    assert sources.origin(("strategies", 0, "symbols")) == f"{tmp_path}/config.toml:5:1"


def test_all_faults_are_told_at_once_from_the_top_of_the_file_down(tmp_path: Path) -> None:
    text = '[rulse]\n[rules]\npercent_fee = -1\nalign = "no"\n[http]\nport = 70000\n'
    environ = {"TICKD__RULES__PERCENT_FE": "1"}

    lines = problems(tmp_path, text, environ, ["http.prt=1"])

    assert [line.split(": ")[0] for line in lines] == [
        "--set",
        "TICKD__RULES__PERCENT_FE",
        "config.toml:6:1",
        "config.toml:8:1",
        "config.toml:9:1",
        "config.toml:11:1",
    ]


def test_without_a_file_the_packaged_default_counts_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    loaded = load_config()

    assert loaded.is_packaged
    assert loaded.sources.origin(("rules", "schedule_await_minutes")) == "(packaged default)"
    assert loaded.sources.origin(("exchange", "id")) == "default"


def test_the_packaged_default_is_what_its_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packaged = load_config().config

    assert packaged == load_config(write(tmp_path, render_toml())).config


def test_the_packaged_default_is_the_file_of_the_repository() -> None:
    shipped = Path(__file__).parents[3] / "config.toml"

    assert shipped.read_text(encoding="utf-8") == render_toml()


def test_the_shipped_file_differs_from_the_defaults_only_where_a_newcomer_gains(
    tmp_path: Path,
) -> None:
    shipped = load_config(write(tmp_path, render_toml())).config.plain()
    bare = load(tmp_path).config.plain()

    assert shipped["rules"].pop("schedule_await_minutes") == 20
    assert bare["rules"].pop("schedule_await_minutes") == 120
    assert [item["name"] for item in shipped.pop("strategies")] == ["breakout", "pullback"]
    assert shipped.pop("risk")
    del bare["strategies"], bare["risk"]
    assert shipped == bare


def test_the_file_of_the_working_directory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, STRATEGY + FEE)

    loaded = load_config()

    assert loaded.config.rules.percent_fee == 0.2
    assert loaded.file_name == "config.toml"


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, STRATEGY + FEE)

    assert load_config(environ={"TICKD_CONFIG": str(path)}).config.rules.percent_fee == 0.2


def test_a_named_file_that_is_missing_is_no_reason_to_use_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file") as error:
        load_config(tmp_path / "gone.toml")

    assert str(error.value) == (
        f"{tmp_path}/gone.toml: there is no such file. Check the path (--config, or TICKD_CONFIG)"
    )


def test_c5_a_secret_on_the_command_line_is_refused_and_not_repeated(tmp_path: Path) -> None:
    line = one_problem(tmp_path, settings=[f"exchange.api_key={CANARY}"])

    assert line == (
        "--set: exchange.api_key: a secret does not belong on the command line, where every user"
        " can read it. Name a file in exchange.api_key_file, or set TICKD__EXCHANGE__API_KEY"
    )


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = f'[exchange]\napi_key = "{CANARY}"\napi_secret_file = "/nowhere"\n'

    lines = problems(tmp_path, text)

    assert lines == [
        (
            "config.toml:7:1: exchange.api_key: a secret does not belong in this file. Put it in a"
            " file of mode 0600 named by exchange.api_key_file, or in TICKD__EXCHANGE__API_KEY;"
            " change it if this file was shared"
        ),
        (
            "config.toml:8:1: exchange.api_secret_file: cannot be read (No such file or"
            " directory): /nowhere"
        ),
    ]


def test_a_secret_from_two_places_is_refused(tmp_path: Path) -> None:
    text = '[exchange]\napi_key_file = "/nowhere"\n'
    environ = {"TICKD__EXCHANGE__API_KEY": CANARY, "TICKD__EXCHANGE__API_SECRET": CANARY}

    line = one_problem(tmp_path, text, environ)

    assert line == (
        "config.toml:7:1: exchange.api_key_file: api_key is given as well. Keep one of the two"
    )


def test_secrets_come_from_files_and_from_the_environment(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(CANARY + "\n")
    key_file.chmod(0o600)
    text = f'[exchange]\napi_key_file = "{key_file}"\n'

    loaded = load(tmp_path, text, {"TICKD__EXCHANGE__API_SECRET": "s3cret-of-mine"})

    assert set(loaded.config.secret_values) == {CANARY, "s3cret-of-mine"}
    assert loaded.sources.origin(("exchange", "api_key")) == (
        f"the file of exchange.api_key_file ({tmp_path}/config.toml:7:1)"
    )
    assert loaded.sources.origin(("exchange", "api_secret")) == "TICKD__EXCHANGE__API_SECRET"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("http.prt=1", "http.prt: there is no such setting. Did you mean http.port?"),
        ("http.port", "--set http.port has no value. Write section.key=value"),
        ("http.port=", "--set http.port has no value. Write section.key=value"),
        ("strategies.0.name=x", "there is no such setting. Did you mean strategies?"),
    ],
)
def test_a_flag_that_is_no_setting_is_refused(tmp_path: Path, setting: str, told: str) -> None:
    assert told in one_problem(tmp_path, settings=[setting])


def test_a_flag_sets_a_key_of_an_open_table(tmp_path: Path) -> None:
    loaded = load(tmp_path, settings=["exchange.urls.public=http://127.0.0.1:1/api"])

    assert loaded.config.exchange.urls == {"public": "http://127.0.0.1:1/api"}


def test_tables_are_merged_and_lists_replaced() -> None:
    below = {"a": {"x": 1, "y": 2}, "list": [1, 2]}

    assert merge(below, {"a": {"y": 3}, "list": [9]}) == {"a": {"x": 1, "y": 3}, "list": [9]}
    assert below == {"a": {"x": 1, "y": 2}, "list": [1, 2]}
