"""How files of candles name their columns and write their times: one answer for every format."""

from collections.abc import Sequence

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
NAMES_OF_TIME = ("timestamp", "time", "date", "datetime", "open_time")
EPOCH_SECONDS_BELOW = 1e11
"""A smaller number counts seconds, a larger one milliseconds: seconds reach to the year 5138."""
EPOCH_MS_BELOW = 1e14

_SHOWN_LENGTH_MAX = 120
"""A first row of data may be of any length."""


class HeadingError(ValueError):
    """A column cannot be told from the headings. `column` is what was looked for."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def places_of(headings: Sequence[str]) -> list[int]:
    """Return where each of `COLUMNS` stands among `headings`, whatever their case and order.

    Raises HeadingError for a column that is missing or that two headings name.
    """
    names = [heading.strip().strip('"').lower() for heading in headings]
    if not {*names} & {*COLUMNS, *NAMES_OF_TIME}:
        needed = f"the columns must be named ({', '.join(COLUMNS)})"
        raise HeadingError(COLUMNS[0], f"{needed}; their names are {_shown(names)}")
    return [_place(names, column) for column in COLUMNS]


def _place(names: Sequence[str], column: str) -> int:
    accepted = NAMES_OF_TIME if column == "timestamp" else (column,)
    found = [place for place, name in enumerate(names) if name in accepted]
    if len(found) == 1:
        return found[0]
    problem = "two columns may hold it" if found else "no column has this name"
    if not found and len(accepted) > 1:
        problem += f" ({', '.join(accepted[1:])} will do, too)"
    raise HeadingError(column, f"{problem}; there are {_shown(names)}")


def _shown(names: Sequence[str]) -> str:
    told = ", ".join(names)
    return repr(told if len(told) <= _SHOWN_LENGTH_MAX else f"{told[:_SHOWN_LENGTH_MAX]} ...")
