"""The public face: `from daemon import ...` is complete, in order, and light."""

import subprocess
import sys

import pytest

import daemon

HEAVY = ("ccxt", "pydantic", "pydantic_settings", "prometheus_client", "structlog", "aiohttp")
"""What a strategy's import must not load: it would cost each author and each test a second."""


def test_the_public_names_are_sorted_and_exist() -> None:
    names = list(daemon.__all__)

    assert names == sorted(names)
    assert [name for name in names if not hasattr(daemon, name)] == []


def test_what_needs_a_library_that_is_missing_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['numpy'] = None; from daemon import Backtest"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert ended.stderr.splitlines()[-1].endswith(
        "MissingLibraryError: Backtest needs the research libraries (numpy is missing):"
        " make research"
    )


@pytest.mark.parametrize(
    "imports",
    [
        "import daemon",
        "from daemon import Signal, Strategy",
        "from daemon import Backtest, Walker, add_strategy, get_config; get_config()",
    ],
)
def test_an_import_loads_no_heavy_library(imports: str) -> None:
    code = f"{imports}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert loaded == []
