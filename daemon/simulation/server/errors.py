"""The errors of the sandbox exchange: those it answers with, and those that keep it from starting.

An `ApiError` is part of the protocol: code and text are Binance's own, because clients match on
them.
"""


class ApiError(Exception):
    """A request is refused with an HTTP `status` and Binance's error `code` and message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def body(self) -> dict[str, int | str]:
        """Return the JSON body in Binance's shape."""
        return {"code": self.code, "msg": self.message}


class PortInUseError(OSError):
    """Another process listens where the sandbox should; the message names the remedy."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} is in use by another process: stop it, or give the sandbox another "
            "port (0 takes any free one)"
        )
        self.host = host
        self.port = port
        self.remedy = "stop the other process or choose another port (0 takes any free one)"


def invalid_symbol() -> ApiError:
    """Return the refusal: the market has no such pair."""
    return ApiError(400, -1121, "Invalid symbol.")


def invalid_interval() -> ApiError:
    """Return the refusal: there are no candles of that length."""
    return ApiError(400, -1120, "Invalid interval.")


def missing_parameter(name: str) -> ApiError:
    """Return the refusal: a mandatory parameter was left out."""
    return ApiError(
        400,
        -1102,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )


def illegal_characters(name: str, legal: str) -> ApiError:
    """Return the refusal: a parameter holds what its `legal` pattern forbids."""
    return ApiError(
        400,
        -1100,
        f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.",
    )


def invalid_data(name: str) -> ApiError:
    """Return the refusal: a parameter's value makes no sense."""
    return ApiError(400, -1130, f"Data sent for parameter '{name}' is not valid.")


def unexpected_combination() -> ApiError:
    """Return the refusal: these parameters exclude each other."""
    return ApiError(400, -1128, "Combination of optional parameters invalid.")


def unsupported(path: str) -> ApiError:
    """Return the refusal: the sandbox has no such path."""
    return ApiError(404, -1020, f"This operation is not supported: the sandbox has no {path}.")


def over_limit(weight_max: int) -> ApiError:
    """Return the refusal: too much request weight in this minute."""
    return ApiError(
        429,
        -1003,
        f"Too much request weight used; current limit is {weight_max} request weight per 1 "
        "MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.",
    )


def banned(until_ms: int) -> ApiError:
    """Return the refusal: banned until `until_ms` (market time) for ignoring refusals."""
    return ApiError(
        418,
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket "
        "Streams for live updates to avoid bans.",
    )


def failure(status: int) -> ApiError:
    """Return what Binance says with an HTTP `status` when it is at fault itself."""
    match status:
        case 429:
            return ApiError(status, -1003, "Too many requests.")
        case 418:
            return ApiError(status, -1003, "Way too many requests; IP banned.")
        case 504:
            return ApiError(
                status,
                -1007,
                "Timeout waiting for response from backend server. Send status unknown; "
                "execution status unknown.",
            )
        case _:
            return ApiError(
                status, -1000, "An unknown error occurred while processing the request."
            )
