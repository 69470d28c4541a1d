"""What may be loaded as a strategy or a risk validation, and how each fault is told."""

import os
import sys
from pathlib import Path

import pytest

from daemon.app.config.problems import ConfigError
from daemon.app.config.sections import RiskSection
from daemon.app.loading import (
    LoadError,
    load_code,
    load_profile,
    load_strategy,
    load_validation,
    make_strategy,
)
from daemon.core.strategy import Strategy
from tests.app.samples import load

GOOD = """
from daemon.core.strategy import Strategy

class Mine(Strategy):
    interval = "5m"
    history = {"1h": 200}

    def get_signal(self, view):
        return None
"""


def a_file(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(reference: str) -> str:
    with pytest.raises(LoadError) as error:
        load_strategy(reference)
    text = str(error.value)
    assert "Traceback" not in text
    assert "\n" not in text
    return text


def test_a_strategy_of_a_file_and_one_of_a_package_are_loaded(tmp_path: Path) -> None:
    path = a_file(tmp_path, GOOD)

    mine = load_strategy(f"{path}:Mine")

    assert issubclass(mine, Strategy)
    assert load_strategy(f"{path}:Mine") is mine
    assert isinstance(make_strategy(mine), Strategy)
    assert load_strategy("daemon.strategies.breakout:Breakout").__name__ == "Breakout"


def test_a_class_of_a_file_can_be_a_dataclass_and_be_pickled(tmp_path: Path) -> None:
    """Both look the module up by its name."""
    path = a_file(
        tmp_path,
        "from dataclasses import dataclass\n" + GOOD + "@dataclass\nclass P:\n    x: 'int' = 1\n",
    )

    mine = load_strategy(f"{path}:Mine")

    assert sys.modules[mine.__module__].P().x == 1


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("no.such.module:X", "there is no module no.such.module among the installed packages"),
        ("daemon.nothing:X", "there is no module daemon.nothing among the installed packages"),
        (
            "daemon.strategies.breakout:Brakeout",
            "there is no Brakeout in breakout.py. Did you mean Breakout?",
        ),
        ("json:Breakout", "there is no Breakout in __init__.py. It has none of its own"),
        ("json:JSONDecoder", "JSONDecoder is no strategy: write class JSONDecoder(Strategy)"),
        ("json:loads", "loads is no strategy: write class loads(Strategy)"),
        ("daemon.core.strategy:Strategy", "Strategy: does not override get_signal"),
    ],
)
def test_what_is_no_strategy_is_told(reference: str, told: str) -> None:
    assert refusal(reference) == told


def test_a_file_in_the_working_directory_is_not_taken_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can write where the daemon starts must not thereby run code in it."""
    monkeypatch.chdir(tmp_path)
    a_file(tmp_path, GOOD, "planted.py")

    told = refusal("planted:Mine")

    assert told == (
        "there is no module planted among the installed packages; a file of your own is written"
        ' "./planted.py:..."'
    )
    assert load_strategy("./planted.py:Mine")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\nint('x')\n", "ValueError at {path}:2: invalid literal for int()"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError at {path}:1: No module named"),
        ("def f(:\n", "SyntaxError at {path}:1: "),
        ("raise SystemExit(3)\n", "SystemExit at {path}:1: 3"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt at {path}:1"),
        ("class E(Exception):\n    def __str__(self): raise E\nraise E\n", "E at {path}:3"),
        ("raise ValueError('a\\nb')\n", "ValueError at {path}:1: a"),
    ],
)
def test_an_error_at_import_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = a_file(tmp_path, text)

    line = refusal(f"{path}:Mine")

    assert line.startswith("cannot be imported: " + told.format(path=path))


def test_a_file_that_failed_is_read_again_once_mended(tmp_path: Path) -> None:
    path = a_file(tmp_path, "raise ValueError\n")
    refusal(f"{path}:Mine")

    path.write_text(GOOD)

    assert load_strategy(f"{path}:Mine")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('interval = "2m"', "Mine: interval is '2m': use one of 1m, 3m, 5m, 15m, 30m, 1h"),
        ("interval = 5", "Mine: interval is 5: use one of 1m, 3m, 5m, 15m, 30m, 1h"),
        (
            'history = {"7m": 1}',
            (
                "Mine: history has the unknown interval '7m': use one of 1m, 3m, 5m, 15m, 30m, 1h,"
                " 2h, 4h, 6h, 8h, 12h, 1d"
            ),
        ),
        (
            "get_signal = lambda self: None",
            "Mine: get_signal must take one argument beside self, the view",
        ),
        ('history = {"1m": 0}', "Mine: history of 1m must be a whole number from 1 to 100000"),
        ('history = {"1m": True}', "Mine: history of 1m must be a whole number from 1 to 100000"),
        ("history = 200", 'Mine: history must be a table as in {"1h": 200}'),
    ],
)
def test_a_wrong_declaration_is_told(tmp_path: Path, line: str, told: str) -> None:
    text = GOOD.replace('    interval = "5m"\n    history = {"1h": 200}', f"    {line}")
    if line.startswith("get_signal"):
        text = text.partition("    def")[0]

    assert refusal(f"{a_file(tmp_path, text)}:Mine") == told


def test_a_class_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    text = GOOD + "    def __init__(self, x):\n        pass\n"
    mine = load_strategy(f"{a_file(tmp_path, text)}:Mine")

    with pytest.raises(LoadError, match=r"Mine cannot be made: TypeError: .* argument: 'x'"):
        make_strategy(mine)


def test_q10_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, GOOD)
    path.chmod(0o666)

    told = refusal(f"{path}:Mine")

    assert told == f"may be written by everybody, and would run: chmod o-w {path}"


def test_q10_a_file_in_a_folder_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = a_file(folder, GOOD)
    folder.chmod(0o777)

    assert "may be written by everybody" in refusal(f"{path}:Mine")
    folder.chmod(0o1777)
    assert load_strategy(f"{path}:Mine")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_q10_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, GOOD)
    os.chown(path, 12345, 12345)

    assert refusal(f"{path}:Mine").startswith("belongs to another user (uid 12345)")


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()

    assert refusal(f"{tmp_path}/gone.py:X") == (
        f"cannot be read (No such file or directory): {tmp_path}/gone.py"
    )
    assert refusal(f"{tmp_path}/folder.py:X") == f"is not a file: {tmp_path}/folder.py"


RISK = """
import functools

def calm(payload):
    "Only in calm markets."

async def late(payload):
    pass

class Late:
    async def __call__(self, payload):
        pass

class Now:
    def __call__(self, payload):
        pass

late_object = Late()
now_object = Now()
late_partial = functools.partial(late)
number = 3

def two(payload, other):
    pass
"""


def test_a_validation_is_loaded_with_its_first_line_as_note(tmp_path: Path) -> None:
    path = a_file(tmp_path, RISK)

    assert load_validation(f"{path}:calm").note == "Only in calm markets."
    assert load_validation(f"{path}:now_object").note == "now_object"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("late", "late is async: a risk validation is a plain function"),
        ("late_object", "late_object is async"),
        ("late_partial", "late_partial is async"),
        ("number", "number is no function"),
        ("Now", "Now is no function"),
        ("two", "two must take one argument, the RiskPayload"),
        ("cal", "there is no cal in mine.py. Did you mean calm?"),
    ],
)
def test_what_is_no_validation_is_told(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(LoadError) as error:
        load_validation(f"{a_file(tmp_path, RISK)}:{name}")
    assert str(error.value).startswith(told)


def test_a_profile_asks_its_limits_first_and_the_author_s_own_last(tmp_path: Path) -> None:
    section = RiskSection(
        name="all",
        max_positions=1,
        max_positions_per_symbol=1,
        max_positions_per_side=1,
        min_reward_risk=1.0,
        max_loss_per_day_percent=1.0,
        cooldown_after_loss_minutes=1,
        allowed_hours=(1,),
        python=(f"{a_file(tmp_path, RISK)}:calm",),
    )

    profile = load_profile(section)

    assert [validation.note for validation in profile.validations] == [
        "maximum of open positions",
        "maximum of open positions per symbol",
        "maximum of open positions per side",
        "minimum reward/risk",
        "maximum loss per UTC day",
        "cooldown after a loss",
        "allowed hours",
        "Only in calm markets.",
    ]


def test_every_limit_of_the_section_makes_a_validation() -> None:
    """A limit that is configured and not asked would be worse than none."""
    limits = set(RiskSection.model_fields) - {"name", "python"}

    for name in limits:
        value = (1,) if name == "allowed_hours" else 1
        section = RiskSection.model_validate({"name": "x", name: value})
        assert len(load_profile(section).validations) == 1, name


def test_all_faults_of_code_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    risk = a_file(tmp_path, RISK, "risk.py")
    text = f"""[[strategies]]
name = "second"
path = "no.module:X"
symbols = ["BTC/USDT"]
[[risk]]
name = "own"
python = ["{risk}:late"]
"""
    loaded = load(tmp_path, text.replace("daemon.strategies.breakout:Breakout", "x"))

    with pytest.raises(ConfigError) as error:
        load_code(loaded.config, loaded.sources.origin)

    lines = [str(problem).replace(f"{tmp_path}/", "") for problem in error.value.problems]
    assert lines[0] == (
        "config.toml:8:1: strategies[1].path: there is no module no.module among the installed"
        " packages"
    )
    assert lines[1].startswith("config.toml:12:1: risk[0].python: late is async")


def test_a_class_that_names_an_unknown_profile_is_told(tmp_path: Path) -> None:
    text = GOOD.replace('    interval = "5m"', '    risk_name = "carful"\n    risk_list = ("b",)')
    path = a_file(tmp_path, text)
    config = f'[[strategies]]\nname = "m"\npath = "{path}:Mine"\nsymbols = ["BTC/USDT"]\n'
    profile = '[[risk]]\nname = "careful"\nmax_positions = 1\n'
    loaded = load(tmp_path, config + profile)

    with pytest.raises(ConfigError) as error:
        load_code(loaded.config)

    assert str(error.value) == (
        "strategies[1].path: Mine names the risk profile 'carful', which is not configured. Did"
        " you mean careful?"
    )


def test_the_code_of_a_configuration_is_told_by_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[[risk]]\nname = "careful"\nmax_positions = 1\n')

    code = load_code(loaded.config)

    assert list(code.strategies) == ["breakout"]
    assert [profile.risk_name for profile in code.profiles] == ["careful"]
