"""Errors, named after what the caller should do."""


class TickdError(Exception):
    """Base of every error that tickd raises on purpose. Its text is written for a person."""


class TransientError(TickdError):
    """Wait and try again: the network, a full disk, an exchange that is busy."""


class RateLimitedError(TransientError):
    """The exchange asks to wait `retry_after_s` seconds before the next request."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UntrustedDataError(TransientError):
    """An answer came and cannot be believed: a broken candle, an absurd price."""


class RejectedError(TickdError):
    """Give this request up: it is wrong, and asking again will not help (an unknown symbol)."""


class UnknownTargetError(RejectedError):
    """There is no such task or signal; the text names those that are near."""


class CandleError(RejectedError, ValueError):
    """The candles cannot be used; the text is one line that says where and why."""


class FatalError(TickdError):
    """Stop this trader, keep its state, call a person."""


class StateLockedError(FatalError):
    """Another daemon works on this state folder."""


class WorkerError(RejectedError, RuntimeError):
    """A worker process could not be started or reached; the text is one line that says why."""


class WorkError(WorkerError):
    """One item could not be worked on: it killed its process, or something raised over it."""


def cause_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error of a group that a person can do something about, or its first."""
    known, _ = group.split(TickdError)
    error: BaseException = known or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
