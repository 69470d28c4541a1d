"""Each message that a wrong value gets, word for word, and that none holds a secret."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.app.config.environment import name_of
from daemon.app.config.explain import explain
from daemon.app.config.load import load_config
from daemon.app.config.problems import ConfigError, Problem, key_text
from daemon.app.config.settings import Config
from daemon.app.config.tree import EACH, Setting, walk
from tests.app.samples import CANARY, one_problem, problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[rules]\npercent_fe = 1",
            "rules.percent_fe: there is no such key. Did you mean percent_fee?",
        ),
        ("[ruls]", "ruls: there is no such section. Did you mean rules?"),
        (
            '[daemon]\ninterval = "1m"',
            "daemon.interval: there is no such key. interval belongs under [[strategies]]",
        ),
        (
            "[exchange]\nport = 80",
            "exchange.port: there is no such key. port belongs under [sandbox] or [http]",
        ),
        (
            "zzz = 1",
            (
                "strategies[0].zzz: there is no such key. The keys are name, path, symbols,"
                " interval, risk, params"
            ),
        ),
        ('[rules]\nalign = "no"', 'rules.align: must be true or false, not "no".'),
        ("[rules]\nalign = 1", "rules.align: must be true or false, not 1."),
        ('[http]\nport = "80"', 'http.port: must be a whole number, not "80".'),
        ("[http]\nport = 80.5", "http.port: must be a whole number, not 80.5."),
        ("[http]\nport = 1e3", "http.port: must be a whole number, not 1000.0."),
        ("[http]\nport = true", "http.port: must be a whole number, not true."),
        ("[http]\nport = [80]", "http.port: must be a whole number, not a list."),
        ("[http]\nport = 70000", "http.port: must be at most 65535, not 70000."),
        ("[http]\nport = -1", "http.port: must be at least 0, not -1."),
        ("[rules]\npercent_fee = true", "rules.percent_fee: must be a number, not true."),
        ('[rules]\npercent_fee = "0,1"', 'rules.percent_fee: must be a number, not "0,1".'),
        ("[rules]\npercent_fee = nan", "rules.percent_fee: must be a finite number, not nan."),
        ("[rules]\npercent_fee = inf", "rules.percent_fee: must be a finite number, not inf."),
        ("[rules]\nmax_price_jump_percent = 0", "must be above 0, not 0."),
        ("[exchange]\nid = 7", "exchange.id: must be text in quotes, not 7."),
        (
            '[exchange]\nid = "Binance"',
            'exchange.id: must be a ccxt id in lower case, as in "binance".',
        ),
        (
            '[log]\nlevel = "loud"',
            'log.level: must be "debug", "info", "warning" or "error", not "loud".',
        ),
        ('[http]\nallowed_hosts = "x"', 'http.allowed_hosts: must be a list in brackets, not "x".'),
        ("[http]\nallowed_hosts = []", "http.allowed_hosts: must not be empty."),
        ("[sandbox]\nstart = true", "sandbox.start: must be a date and time, not true."),
        (
            '[sandbox]\nstart = "soon"',
            'sandbox.start: must be a date and time, as in 2026-01-01T00:00:00Z, not "soon".',
        ),
        ('[daemon]\nstate_dir = ""', "daemon.state_dir: must be a path, not an empty text."),
        (
            '[daemon]\nmode = "live"',
            (
                "daemon.mode: live trading is not in this version: no orders are placed (write"
                ' "signal", and act on its events yourself).'
            ),
        ),
        ('[daemon]\nmode = "paper"', 'daemon.mode: must be "signal", not "paper".'),
        (
            '[alerts.webhook]\nurl = "ftp://x"',
            "alerts.webhook.url: must be an address as in https://host/path.",
        ),
        ('[[risk]]\nname = "a"\nallowed_hours = [24]', "must be at most 23, not 24"),
        ("[[risk]]\nmax_positions = 1", "risk[0].name: is missing."),
    ],
)
def test_c2_a_wrong_value_is_told_with_its_key_and_value(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in one_problem(tmp_path, text)


def test_a_section_that_is_no_table_is_told(tmp_path: Path) -> None:
    lines = problems(tmp_path, b"http = 3\nrules = 4\nstrategies = 5\n")

    assert [line.partition(". ")[0] for line in lines] == [
        "config.toml:1:1: http: must be a table, not 3",
        "config.toml:2:1: rules: must be a table, not 4",
        "config.toml:3:1: strategies: must be a list in brackets, not 5",
    ]


def test_a_remedy_tells_what_the_key_is(tmp_path: Path) -> None:
    line = one_problem(tmp_path, "[http]\nport = 70000")

    assert line == (
        "config.toml:7:1: http.port: must be at most 65535, not 70000. The port to listen on; 0"
        " takes any that is free."
    )


@pytest.mark.parametrize(
    "text",
    [
        f'[exchange]\napi_key = "{CANARY}"',
        f'[exchange]\napi_key = ["{CANARY}"]',
        f'[exchange]\napi_secret = {{ value = "{CANARY}" }}',
        f'[exchange]\napi_secrt = "{CANARY}"',
        f'[exchange]\nid = "{CANARY}"',
        f'[exchange]\nurls = {{ public = "https://user:{CANARY}@host/" }}',
        f'[alerts.webhook]\nurl = "hooks.example.com/{CANARY}"',
        f'[alerts.webhook]\nsecret = "{CANARY}"',
        f'[http]\nport = "{CANARY}"',
        f'[log]\nlevel = "{CANARY}"',
        f'[{CANARY[:6]}]\nkey = "{CANARY}"',
        f'[exchange]\napi_key = "{CANARY}',
    ],
)
def test_q3_no_error_repeats_a_secret(tmp_path: Path, text: str) -> None:
    lines = problems(tmp_path, text)

    assert lines
    assert CANARY not in "\n".join(lines)


def test_q3_no_error_repeats_a_secret_of_the_environment(tmp_path: Path) -> None:
    environ = {
        "TICKD__EXCHANGE__API_KEY": CANARY,
        "TICKD__EXCHANGE__API_KEYY": CANARY,
        "TICKD__EXCHANGE": f'{{"api_secret": "{CANARY}", "id": 3, "api_sekret": "{CANARY}"}}',
        "TICKD__HTTP__PORT": CANARY,
    }

    lines = problems(tmp_path, environ=environ)

    assert len(lines) >= 3
    assert CANARY not in "\n".join(lines)


def test_q3_a_secret_of_the_wrong_type_is_not_repeated(tmp_path: Path) -> None:
    """A key that is all digits looks like no secret; that it stands in a secret's place counts."""
    environ = {"TICKD__EXCHANGE": '{"api_key": 42424242, "api_secret": [424242]}'}

    lines = problems(tmp_path, environ=environ)

    assert [line.partition(". ")[0] for line in lines] == [
        "TICKD__EXCHANGE: exchange.api_key: must be text in quotes",
        "TICKD__EXCHANGE: exchange.api_secret: must be text in quotes",
    ]


PLAIN = [item for item in walk() if item.section is None and EACH not in item.path]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.datetimes(),
)


@given(setting=st.sampled_from(PLAIN), text=st.text(min_size=1, max_size=40))
def test_any_text_in_the_environment_is_taken_or_refused_in_words(
    setting: Setting, text: str
) -> None:
    name = name_of(setting.path)

    found = faults_of({name: text})

    assert all(str(problem).isprintable() for problem in found)
    assert all(name in str(problem) or problem.key for problem in found)


@given(setting=st.sampled_from(PLAIN), junk=JUNK)
def test_any_value_in_the_file_is_taken_or_refused_in_words(setting: Setting, junk: object) -> None:
    """What a file may hold of a wrong type is told by its key, and never breaks the loader."""
    values: dict[str, object] = {}
    table = values
    for part in setting.path[:-1]:
        table[part] = inner = dict[str, object]()
        table = inner
    table[setting.path[-1]] = junk

    try:
        Config(**values)  # type: ignore[arg-type]  # wrong types are the point
    except ValidationError as error:
        found = explain(error, values, key_text)
    else:
        found = []

    assert all(str(problem).isprintable() for problem in found)


def faults_of(environ: dict[str, str]) -> tuple[Problem, ...]:
    try:
        load_config(SHIPPED, environ)
    except ConfigError as error:
        return error.problems
    return ()


SHIPPED = Path(__file__).parents[3] / "config.toml"
