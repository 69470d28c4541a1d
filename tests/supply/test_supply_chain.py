"""Nothing runs that was not named: no code out of data, no library that is not in a lock."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))

DANGEROUS = frozenset(
    {
        *("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"),
        *(
            "os.system",
            "os.popen",
            "os.spawnv",
            "subprocess.getoutput",
            "asyncio.create_subprocess_shell",
        ),
        *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"),
        *("numpy.load", "pandas.read_pickle", "joblib.load", "torch.load"),
    }
)
UNPACKERS = frozenset({"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle"})
UNPACKING = frozenset({"load", "loads", "open", "Unpickler"})

BETWEEN_OUR_OWN = {
    "daemon/adapters/dask_cluster.py",
    "daemon/adapters/processes/line.py",
    "daemon/adapters/processes/serving.py",
    "daemon/app/hands.py",
}
"""A search sends work to processes that it started itself; no file and no stranger is read."""


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "daemon").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def homes_of(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for."""
    homes: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            homes |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            homes |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return homes


def named(node: ast.expr, homes: dict[str, str]) -> str:
    """Return the dotted name of a thing that is called or passed, "" where it has none."""
    match node:
        case ast.Name(id=name):
            return homes.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            owner = named(value, homes)
            return f"{owner}.{attr}" if owner else ""
        case _:
            return ""


def code_out_of_data(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each use of what makes code, or objects, out of data."""
    tree = ast.parse(text)
    homes = homes_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = named(node, homes)
            module, _, last = name.rpartition(".")
            if name in DANGEROUS or (module in UNPACKERS and last in UNPACKING):
                yield node.lineno, name
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            yield node.value.lineno, "shell"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("eval('1')", "eval"),
        ("run = exec", "exec"),
        ("import pickle as p\np.loads(b'')", "pickle.loads"),
        ("from pickle import loads as read\nread(b'')", "pickle.loads"),
        ("import marshal\nf(marshal.load)", "marshal.load"),
        ("import yaml\nyaml.load(x)", "yaml.load"),
        ("import os\nos.system('ls')", "os.system"),
        ("import subprocess\nsubprocess.run('ls', shell=True)", "shell"),
        ("import shelve\nshelve.open('x')", "shelve.open"),
    ],
)
def test_q11_a_planted_one_is_found(text: str, name: str) -> None:
    assert [found for _, found in code_out_of_data(text)] == [name]


@pytest.mark.parametrize(
    "text", ["re.compile('x')", "spec.loader.exec_module(m)", "orjson.loads(b)"]
)
def test_q11_what_is_harmless_is_not_found(text: str) -> None:
    assert list(code_out_of_data(text)) == []


def test_q11_no_code_is_made_out_of_data() -> None:
    found = {
        (path, f"{line}: {name}")
        for path, text in sources()
        for line, name in code_out_of_data(text)
    }

    assert len(list(sources())) > 200
    assert {(path, told) for path, told in found if path not in BETWEEN_OUR_OWN} == set()
    assert {told.split(": ")[1] for _, told in found} == {
        "pickle.load",
        "pickle.loads",
        "cloudpickle.loads",
    }


def test_q11_a_daemon_that_trades_does_not_even_load_what_unpacks() -> None:
    modules = [path.removesuffix(".py").replace("/", ".") for path in BETWEEN_OUR_OWN]
    code = (
        "import sys\nimport daemon.app.service, daemon.app.live_run, daemon.app.reloading\n"
        f"print([name for name in {modules!r} if name in sys.modules])"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ended.stdout == "[]\n"


def test_q11_the_linter_looks_for_it_too_and_nothing_of_the_daemon_is_spared() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    spared = [
        (pattern, code)
        for pattern, codes in rules["lint"]["per-file-ignores"].items()
        if pattern.startswith("daemon")
        for code in codes
        if code == "S" or (code.startswith("S") and code[1:].isdigit())
    ]

    assert "S" in rules["lint"]["select"]
    # Random numbers of a market by seed are no secrets.
    assert spared == [("daemon/simulation/**", "S311")]
    ignored = [code for code in rules["lint"]["ignore"] if re.fullmatch(r"S\d+", code)]
    assert ignored == ["S101"]


def test_q12_there_are_locks_for_all_that_is_installed() -> None:
    assert {"requirements.lock", "requirements-dev.lock", "requirements-research.lock"} <= set(
        LOCKS
    )


@pytest.mark.parametrize("name", LOCKS)
def test_q12_each_requirement_of_each_lock_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    joined = text.replace("\\\n", " ")
    requirements = [
        line for line in joined.splitlines() if line and not line.lstrip().startswith("#")
    ]

    shape = re.compile(r"[a-z0-9._-]+==\S+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert len(requirements) > 20
    assert [line[:60] for line in requirements if not shape.fullmatch(line)] == []
    assert "://" not in text
    assert not re.search(r"(?m)^\s*(-i|--index|--extra|--find|--trusted|-e|-f) ?", text)


def installs(text: str) -> list[str]:
    """Return every command of a text that installs with pip, its lines joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [
        line.strip()
        for line in joined.splitlines()
        if re.search(r"(\bpip|\$\(PIP\))\S*( -\S+)* install\b", line)
    ]


def is_locked(command: str) -> bool:
    """Say whether nothing but a hashed lock, or this repository itself, gets installed."""
    words = command.split()
    if "--require-hashes" in words:
        return bool(re.search(r" -r requirements(-[a-z]+)?\.lock$", command))
    return {"--no-index", "--no-deps"} <= set(words) and words[-1] == "."


@pytest.mark.parametrize("path", ["Makefile", "deploy/Dockerfile", "docs/install.md"])
def test_q12_every_install_takes_a_hashed_lock_or_this_repository(path: str) -> None:
    commands = installs((ROOT / path).read_text(encoding="utf-8"))

    assert len(commands) >= 2
    assert [command for command in commands if not is_locked(command)] == []


@pytest.mark.parametrize(
    "command",
    [
        "pip install ccxt",
        "RUN /opt/tickd/bin/pip install -r requirements.lock",
        "pip install --require-hashes ccxt",
        "python -m pip install --upgrade pip",
        "pip install --no-deps .",
    ],
)
def test_q12_an_install_of_what_is_not_locked_is_found(command: str) -> None:
    assert installs(command) == [command]
    assert not is_locked(command)


def test_q12_what_checks_a_change_installs_through_make_alone() -> None:
    assert installs((ROOT / ".ci/run").read_text(encoding="utf-8")) == []


def test_q12_a_dependency_of_the_daemon_is_deliberate() -> None:
    """Each one more is one more that may be hijacked: whoever adds it changes this list too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=]", wanted)[0] for wanted in project["dependencies"]}

    assert names == {
        *("aiohttp", "ccxt", "orjson", "prometheus-client", "pydantic", "pydantic-settings"),
        *("rich", "stamina", "structlog", "typer", "uvloop"),
    }


def test_c4_no_part_of_the_daemon_can_place_an_order_or_move_money() -> None:
    """While there is no live mode, the surest guard is that nobody knows how."""
    calls = re.compile(
        r"(?i)(create|edit|cancel)_?orders?\b|\bwithdraw\b|\btransfer\(|set_?leverage"
    )

    assert [path for path, text in sources() if calls.search(text)] == []
