"""What is missing is named with a remedy that is there."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from daemon.app.extras import (
    MissingLibraryError,
    apprise_library,
    cluster_library,
    research_libraries,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("needed", "library"),
    [
        (lambda: research_libraries("a backtest"), "numpy"),
        (cluster_library, "distributed"),
        (apprise_library, "apprise"),
    ],
)
def test_a_remedy_is_a_target_or_a_lock_of_the_repository(
    needed: Callable[[], AbstractContextManager[None]], library: str
) -> None:
    with pytest.raises(MissingLibraryError, match=rf"\({library} is missing\): ") as told, needed():
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    remedy = str(told.value).partition("is missing): ")[2]
    match remedy.split():
        case ["make", target]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"(?m)^{target}: .*  ## ", makefile)
        case ["pip", "install", "--require-hashes", "-r", lock]:
            assert f"\n{library}==" in (ROOT / lock).read_text(encoding="utf-8")
        case _:
            pytest.fail(f"nobody can do this: {remedy}")
