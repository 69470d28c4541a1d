"""Errors are named after what the caller should do."""

from inspect import getmembers, isclass

import pytest

from daemon.core import errors
from daemon.core.errors import (
    FatalError,
    RateLimitedError,
    RejectedError,
    StateLockedError,
    TickdError,
    TransientError,
    UntrustedDataError,
)

ALL = [kind for _, kind in getmembers(errors, isclass)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_what_to_do(kind: type[TickdError]) -> None:
    """Wait, give the request up, or stop: nothing stands between them."""
    advice = (TransientError, RejectedError, FatalError)

    assert issubclass(kind, TickdError)
    assert kind is TickdError or sum(issubclass(kind, one) for one in advice) == 1


def test_what_may_be_tried_again() -> None:
    assert issubclass(UntrustedDataError, TransientError)
    assert issubclass(StateLockedError, FatalError)


def test_a_busy_exchange_says_how_long_to_wait() -> None:
    error = RateLimitedError("slow down", retry_after_s=2.5)

    assert isinstance(error, TransientError)
    assert (str(error), error.retry_after_s) == ("slow down", 2.5)
