"""What a strategy is made of: its module, and what that one uses of the author's."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from daemon.app.own_code import code_digest, own_modules


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a module of an author that uses two others of his, in two ways."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_far.py").write_text("FAR = 1\n")
    (tmp_path / "own_near.py").write_text("import own_far\ndef near(): return own_far.FAR\n")
    (tmp_path / "own_top.py").write_text(
        "import json\nimport numpy\nfrom own_near import near\nfrom daemon import Strategy\n"
    )
    for name in ("own_top", "own_near", "own_far"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import_module("own_top")
    return ["own_top", "own_missing"]


def test_the_modules_that_a_module_uses_are_its_own_too(names: list[str]) -> None:
    assert [module.__name__ for module in own_modules(names)] == ["own_top", "own_near", "own_far"]


def test_the_digest_changes_with_any_of_them(names: list[str], tmp_path: Path) -> None:
    before = code_digest(names)
    assert code_digest(names) == before

    (tmp_path / "own_far.py").write_text("FAR = 2222\n")

    assert code_digest(names) != before
