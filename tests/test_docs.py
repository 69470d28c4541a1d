"""The documentation says what the code does: generated pages are fresh, and examples work."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from daemon import PersistSignalAdapter, use_persist_signal_adapter
from daemon.core.states import Given, State
from docs.generate import FOLDER, PAGES
from docs.states_page import render_states
from tests.doc_stage import ROOT, DocStage, RunningDaemon, blocks_of, pages

WRITTEN = [page for page in pages() if page.name not in PAGES]
TRADING = {"README.md": ["dip"], "docs/strategies.md": ["my-breakout", "patience"]}
"""The strategies that a reader writes, by page: they must make signals, not only load."""

LANGUAGES = {"console", "json", "mermaid", "promql", "python", "text", "toml", ""}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    daemon = RunningDaemon(tmp_path_factory.mktemp("elsewhere"))
    yield daemon
    daemon.stop()


@pytest.fixture
def stage(tmp_path: Path, running: RunningDaemon) -> Iterator[DocStage]:
    made = DocStage(tmp_path, running)
    made.lay_out()
    yield made
    use_persist_signal_adapter(PersistSignalAdapter)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_the_one_that_the_code_gives(name: str) -> None:
    page = (FOLDER / name).read_text(encoding="utf-8")

    assert page == PAGES[name](), "run: python -m docs.generate, and read what changed"


def test_the_page_of_states_leaves_no_state_and_no_input_out() -> None:
    page = render_states()

    for state in get_args(State):
        for given in get_args(Given):
            kind = state.__dataclass_fields__["kind"].default
            assert f"| `{kind}` | `{given.__name__}` | " in page


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")

    for page in FOLDER.glob("*.md"):
        assert f"({page.name})" in listed or page.name == "README.md", page.name


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    for page in pages():
        for block in blocks_of(page):
            assert block.language in LANGUAGES, f"{page.name}:{block.line}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_tells_to_do_works(page: Path, stage: DocStage) -> None:
    for block in blocks_of(page):
        try:
            stage.play(block)
        except Exception as error:
            raise AssertionError(f"{page.relative_to(ROOT)}:{block.line}: {error}") from error
    for name in TRADING.get(str(page.relative_to(ROOT)), ()):
        assert stage.trades(name), f"{page}: {name} ran and made no signal"
