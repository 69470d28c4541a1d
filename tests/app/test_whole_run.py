"""A coroutine is run to its end, and nobody writes out what it came to."""

import pytest

from daemon.app.whole_run import run_whole


class Long:
    """Would take longer to write out than to make."""

    def __repr__(self) -> str:
        """Never, then."""
        raise AssertionError("it was written out")


def test_what_a_run_returns_is_handed_over_and_not_written_out() -> None:
    made = Long()

    async def work() -> Long:
        return made

    assert run_whole(work()) is made


def test_what_a_run_raises_is_raised() -> None:
    async def work() -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        run_whole(work())
