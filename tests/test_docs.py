"""The documentation says what the code does."""

from typing import get_args

from daemon.core.states import Given, State
from docs.generate import FOLDER, render_states


def test_the_page_of_states_is_the_one_that_the_code_gives() -> None:
    """If this fails: `python -m docs.generate`, and read what changed."""
    page = (FOLDER / "states.md").read_text(encoding="utf-8")

    assert page == render_states()


def test_the_page_of_states_leaves_no_state_and_no_input_out() -> None:
    page = render_states()

    for state in get_args(State):
        for given in get_args(Given):
            kind = state.__dataclass_fields__["kind"].default
            assert f"| `{kind}` | `{given.__name__}` | " in page
