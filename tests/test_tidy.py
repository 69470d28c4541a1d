"""House rules that no ready-made tool holds: sizes, docstrings, broad excepts, clean text."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

FOLDERS = ("daemon", "tests", "benchmarks", "deploy", "docs")

FUNCTION_LINES_MAX = 60
"""Docstring included; forty lines of code at most is what we aim for."""

FILE_LINES_MAX = 350

BROAD_EXCEPTS_ALLOWED = {
    "daemon/app/cli/top.py",
    "daemon/core/guard.py",
    "daemon/live/containment.py",
    "daemon/live/sinks.py",
    "daemon/live/supervisor.py",
    "daemon/research/containment.py",
}
"""Where foreign code is called, or the last word to the user is said."""

LOCKS = {
    "requirements.lock": (),
    "requirements-research.lock": ("research",),
    "requirements-cluster.lock": ("research", "cluster"),
    "requirements-alerts.lock": ("alerts",),
    "requirements-dev.lock": ("research", "cluster", "alerts", "dev"),
}
"""Every lock, and the extras that it is made of."""

PUBLIC_HOSTS = frozenset({"pypi.org", "files.pythonhosted.org"})

# Put together from pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "|".join(
        (
            r"(?<![\w.$}~-])/" + r"(?:work|farm|root)/",
            r"(?<![\w.$}~-])/" + r"(?:home|Users)/(?!you/)\w",
            r"\.\./" + "shared",
            r"[A-Z]:\\" + r"Users\\",
        )
    )
)
MACHINE_PATHS_ALLOWED = {".ci/run"}

SECRETS = {
    "private key": re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----"),
    "cloud key": re.compile(r"\bAKIA" + r"[0-9A-Z]{16}\b"),
    "messenger token": re.compile(r"\b\d{8,10}:" + r"[A-Za-z0-9_-]{35}\b"),
    "password in a URL": re.compile(r"://[^\s/:@{}<>\"']+:" + r"[^\s/:@{}<>\"'*]+@"),
    "exchange key": re.compile(
        r"(?i)(?:api_?key|secret|token|password)[\"']?\s*[=:]\s*[\"']"
        r"[A-Za-z0-9/+_-]{40,}[\"']"
    ),
}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return the files of the repository, relative to its root; outside git, the files found."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        names = [Path(name) for name in listed.stdout.split("\0") if name]
        return tuple(name for name in names if (ROOT / name).is_file())
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return tuple(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts)


def python_files(*folders: str) -> list[Path]:
    return [
        path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in set(folders)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked_files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def places(pattern: re.Pattern[str], path: Path, text: str) -> list[str]:
    return [
        f"{path}:{number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := pattern.search(line))
    ]


def is_broad(handled: ast.expr | None) -> bool:
    match handled:
        case None:
            return True
        case ast.Name(id="Exception" | "BaseException"):
            return True
        case ast.Tuple(elts=elements):
            return any(is_broad(element) for element in elements)
        case _:
            return False


def broad_excepts(tree: ast.Module) -> Iterator[int]:
    """Yield the line of each `except` and `suppress` that catches everything."""
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=handled) if is_broad(handled):
                yield node.lineno
            case ast.Call(
                func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=arguments
            ) if any(is_broad(argument) for argument in arguments):
                yield node.lineno
            case _:
                pass


def test_files_are_found() -> None:
    """Every rule below holds for nothing when there is nothing to look at."""
    assert Path("daemon/core/candles.py") in python_files("daemon")
    assert Path("pyproject.toml") in tracked_files()


def test_no_function_is_too_long() -> None:
    too_long = [
        f"{path}:{node.lineno}: {node.name} has {lines} lines"
        for path in python_files(*FOLDERS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert too_long == []


def test_no_file_is_too_long() -> None:
    too_long = [
        f"{path} has {lines} lines"
        for path in python_files(*FOLDERS)
        if (lines := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    ]

    assert too_long == []


def test_each_module_says_what_it_is_for() -> None:
    silent = [
        str(path)
        for path in python_files(*FOLDERS)
        if parsed(path).body and not ast.get_docstring(parsed(path))
    ]

    assert silent == []


def test_each_module_of_core_has_its_own_tests() -> None:
    core = Path("daemon/core")
    modules = [
        path.relative_to(core)
        for path in python_files("daemon")
        if path.is_relative_to(core) and path.name != "__init__.py"
    ]

    untested = [
        str(core / module)
        for module in modules
        if not (ROOT / "tests/core" / module.with_name(f"test_{module.name}")).is_file()
    ]

    assert untested == []


def test_broad_excepts_stand_only_where_foreign_code_is_called() -> None:
    broad = [
        (str(path), line) for path in python_files("daemon") for line in broad_excepts(parsed(path))
    ]

    assert [each for each in broad if each[0] not in BROAD_EXCEPTS_ALLOWED] == []
    assert {path for path, _ in broad} == BROAD_EXCEPTS_ALLOWED, "one is allowed and not there"


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept (OSError, BaseException) as e:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
    ],
)
def test_a_broad_except_is_recognised(code: str) -> None:
    assert list(broad_excepts(ast.parse(code)))


def test_no_file_names_a_place_on_one_machine() -> None:
    found = [
        place
        for path, text in texts()
        if str(path) not in MACHINE_PATHS_ALLOWED
        for place in places(MACHINE_PATHS, path, text)
    ]

    assert found == []


def test_no_file_names_the_package_registry_of_one_machine() -> None:
    """What pip is set to use here stays here."""
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    urls = re.findall(r"https?://[^\s'\"]+", settings)
    hosts = {urlsplit(url).hostname or "" for url in urls} - PUBLIC_HOSTS - {""}
    if not hosts:
        return
    pattern = re.compile("|".join(map(re.escape, sorted(hosts))))

    assert [place for path, text in texts() for place in places(pattern, path, text)] == []


def test_no_file_holds_a_secret() -> None:
    found = [
        f"{kind}: {path}:{number}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        for kind, pattern in SECRETS.items()
        if pattern.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_the_locks_answer_pyproject(lock: str, extras: tuple[str, ...]) -> None:
    """A dependency that was added without `make lock` would be missing in a fresh clone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    optional = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [each for extra in extras for each in optional[extra]]
    locked = locked_versions(lock)

    stale = [
        str(each)
        for each in map(Requirement, wanted)
        if not each.specifier.contains(locked.get(each.name, "0"))
    ]

    assert stale == []
    assert locked_versions("requirements.lock").items() <= locked.items()


@cache
def locked_versions(name: str) -> dict[str, str]:
    lock = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pinned}
