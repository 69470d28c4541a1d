"""Keys that do not fit each other, the fingerprint, and secrets that stay inside."""

import re
from pathlib import Path

import pytest

from daemon.app.config.settings import Config
from daemon.app.config.tree import walk
from tests.app.samples import CANARY, STRATEGY, load, one_problem, problems

PROFILE = '[[risk]]\nname = "careful"\nmax_positions = 1\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[daemon]\ntick_quiet_max_ms = 10",
            "config.toml:7:1: daemon.tick_quiet_max_ms: must not be below daemon.tick_interval_ms",
        ),
        (
            "[rules]\nmin_stoploss_distance_percent = 20",
            (
                "config.toml:7:1: rules.min_stoploss_distance_percent: must be below"
                " rules.max_stoploss_distance_percent (20)"
            ),
        ),
        (
            '[http]\nhost = "0.0.0.0"',
            (
                "config.toml:7:1: http.host: 0.0.0.0 can be reached by other machines and nothing"
                ' asks for a password: listen on "127.0.0.1" behind a proxy, or set'
                " http.allow_remote = true"
            ),
        ),
        (
            '[[risk]]\nname = "none"',
            "config.toml:6:1: risk[0]: profile 'none' has no limit: it would allow all",
        ),
        (
            PROFILE * 2,
            "config.toml:10:1: risk[1].name: the name 'careful' is taken by another profile",
        ),
        (
            'risk = ["carful"]\n' + PROFILE,
            (
                "config.toml:6:1: strategies[0].risk: there is no risk profile 'carful'. Did you"
                " mean careful?"
            ),
        ),
        (
            'risk = ["careful"]\n',
            (
                "config.toml:6:1: strategies[0].risk: there is no risk profile 'careful'. Add a"
                " [[risk]] table of this name"
            ),
        ),
        (
            'risk = ["careful", "careful"]\n' + PROFILE,
            (
                "config.toml:6:1: strategies[0].risk: careful stands there twice: keep one. Risk"
                " profiles that must all allow a signal."
            ),
        ),
        (
            f'params = {{ api_key = "{CANARY}" }}',
            (
                "config.toml:6:1: strategies[0].params.api_key: looks like a secret, which does not"
                " belong here: let the strategy read it from a file or the environment"
            ),
        ),
        (
            '[sandbox]\nreplay = "x.csv"\nreplay_symbol = "ETH/USDT"',
            (
                "config.toml:5:1: strategies[0].symbols: the sandbox has no BTC/USDT, only"
                " ETH/USDT. See sandbox.replay_symbol"
            ),
        ),
        (
            "[sandbox]\nstart = 0001-01-01T00:00:00+05:00",
            "config.toml:7:1: sandbox.start: must lie in the years 1971 to 2200",
        ),
        (
            '[sandbox.faults]\nplan = [{ kind = "timeot" }]',
            (
                "config.toml:6:1: sandbox.faults: fault 1: unknown kind 'timeot' (did you mean"
                " 'timeout'?)"
            ),
        ),
    ],
)
def test_c2_keys_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    assert one_problem(tmp_path, text).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STRATEGY, "strategies[1].name: the name 'breakout' is taken by another strategy"),
        (
            '[[strategies]]\nname = "x"\npath = "m:C"\nsymbols = ["BTC/USDT", "BTC/USDT"]',
            "strategies[1].symbols: BTC/USDT stands there twice: keep one",
        ),
        (
            '[[strategies]]\nname = "x"\npath = "m:C"\nsymbols = []',
            "strategies[1].symbols: must not be empty",
        ),
        (
            "[daemon]\ntasks_max = 1\n" + STRATEGY.replace('"breakout"', '"x"', 1),
            "config.toml:2:1: strategies: ask for 2 tasks, daemon.tasks_max allows 1",
        ),
    ],
)
def test_c8_duplicates_and_too_many_are_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in one_problem(tmp_path, text)


def test_a_key_without_its_secret_is_refused(tmp_path: Path) -> None:
    for given, missing in (("API_KEY", "api_secret"), ("API_SECRET", "api_key")):
        line = one_problem(tmp_path, environ={f"TICKD__EXCHANGE__{given}": CANARY})
        assert line == (
            f"config.toml: exchange.{missing}: is missing: a key and its secret go together"
            f" ({missing}_file)"
        )


def test_c8_no_strategy_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, b"[exchange]\n") == [
        "config.toml: strategies: none is configured: add a [[strategies]] table"
    ]


def test_c8_ten_thousand_symbols_are_refused_in_one_line(tmp_path: Path) -> None:
    names = ", ".join(f'"C{number}/USDT"' for number in range(10_000))
    text = (
        f'[[strategies]]\nname = "x"\npath = "m:C"\nsymbols = [{names}]\n[exchange]\nid = "binance"'
    )

    line = one_problem(tmp_path, text)

    assert line.endswith("strategies: ask for 10001 tasks, daemon.tasks_max allows 2000")


def test_symbols_of_a_real_exchange_are_not_compared_with_the_sandbox(tmp_path: Path) -> None:
    text = (
        '[[strategies]]\nname = "x"\npath = "m:C"\nsymbols = ["XRP/USDT"]\n[exchange]\nid = "okx"'
    )

    config = load(tmp_path, text).config

    assert config.symbols == ("BTC/USDT", "XRP/USDT")
    assert not config.is_sandbox


def test_q1_no_text_of_the_configuration_holds_a_secret(tmp_path: Path) -> None:
    environ = {
        "TICKD__EXCHANGE__API_KEY": CANARY,
        "TICKD__EXCHANGE__API_SECRET": CANARY,
        "TICKD__ALERTS__WEBHOOK__SECRET": CANARY,
        "TICKD__ALERTS__WEBHOOK__URL": f"https://hooks.example.com/{CANARY}",
        "TICKD__ALERTS__TELEGRAM__TOKEN": f"123456789:{CANARY}",
        "TICKD__ALERTS__TELEGRAM__CHAT_ID": "1",
        "TICKD__ALERTS__APPRISE__URL": f"ntfys://{CANARY}",
        "TICKD__HTTP__TOKEN": CANARY,
    }

    config = load(tmp_path, "", environ).config

    assert len(config.secret_values) == sum(setting.is_masked for setting in walk())
    assert all(CANARY in value for value in config.secret_values)
    texts = (repr(config), str(config), str(config.plain()), config.model_dump_json())
    assert CANARY not in "".join(texts)
    assert config.plain()["alerts"]["webhook"]["url"] == "https://hooks.example.com/**********"


def test_the_fingerprint_follows_the_settings_and_not_the_secrets(tmp_path: Path) -> None:
    def fingerprint(text: str = "", **environ: str) -> str:
        return load(tmp_path, text, environ).config.fingerprint

    keys = {"TICKD__EXCHANGE__API_KEY": "a" * 9, "TICKD__EXCHANGE__API_SECRET": "b" * 9}
    others = {"TICKD__EXCHANGE__API_KEY": "c" * 9, "TICKD__EXCHANGE__API_SECRET": "d" * 9}

    assert fingerprint() == fingerprint("[rules]\npercent_fee = 0.1\n")
    assert fingerprint() != fingerprint("[rules]\npercent_fee = 0.2\n")
    assert fingerprint(**keys) == fingerprint(**others)
    assert len(fingerprint()) == 16


def test_a_configuration_is_frozen_and_reads_nothing_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TICKD__HTTP__PORT", "1")

    config = Config(strategies=({"name": "a", "path": "m:C", "symbols": ["BTC/USDT"]},))  # type: ignore[arg-type]  # as a file gives it

    assert config.http.port == 8420
    with pytest.raises(ValueError, match="frozen"):
        config.http.port = 2


def test_every_setting_is_read_by_somebody() -> None:
    """A setting without an effect would be a lie."""
    root = Path(__file__).parents[3] / "daemon"
    files = [path for path in root.rglob("*.py") if "config" not in path.relative_to(root).parts]
    code = "".join(path.read_text(encoding="utf-8") for path in files)

    unread = [
        ".".join(setting.path)
        for setting in walk()
        if setting.section is None
        and not setting.is_secret
        and not setting.holds
        and setting.path[:2] != ("sandbox", "faults")
        and not re.search(rf"\.{setting.path[-1]}\b", code)
    ]

    assert unread == ["daemon.tasks_max"], "tasks_max is read by the check of the settings alone"
