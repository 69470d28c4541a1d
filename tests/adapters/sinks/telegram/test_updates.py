"""Updates: what a person did, and nothing of another shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.sinks.telegram.updates import Pressed, Said, read_update
from tests.adapters.sinks.telegram.bot_stage import pressed, said

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["update_id", "message", "callback_query", "from", "chat", "id", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def test_a_text_and_a_press_are_read() -> None:
    assert read_update(said("/status", update_id=3)) == Said(
        update_id=3, user_id=7, chat_id=42, text="/status", at_s=1_800_000_000
    )
    assert read_update(pressed("yT", update_id=4)) == Pressed(
        update_id=4, user_id=7, chat_id=42, query_id="q4", data="yT", message_id=1
    )


@pytest.mark.parametrize("missing", ["from", "chat", "text", "date"])
def test_a_text_without_all_its_parts_is_nothing(missing: str) -> None:
    update: dict[str, Any] = said("/status")
    del update["message"][missing]

    assert read_update(update) is None


@given(JSON)
def test_s3_any_other_shape_is_nothing(update: object) -> None:
    assert read_update(update) is None or isinstance(update, dict)
