"""A strategy's parameters: a mapping that also hands out values of the kind that is wanted."""

from collections.abc import Iterator, Mapping


class ParameterError(KeyError):
    """A parameter is missing or of the wrong kind; the text names it and what it should be."""

    def __str__(self) -> str:
        # A KeyError, so that `in` and `get` know it, puts quotes around its text.
        return str(self.args[0]) if self.args else ""


class Params(Mapping[str, object]):
    """Read-only parameters by name. Each getter raises ParameterError when it cannot serve."""

    __slots__ = ("_values",)

    def __init__(self, *layers: Mapping[str, object]) -> None:
        values: dict[str, object] = {}
        for layer in layers:
            values.update(layer)
        self._values = values

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self._values.get(name)
        if type(value) is int:
            return value
        value = self._require(name, "a whole number")
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(name, "a whole number", value)
        return value

    def number(self, name: str) -> float:
        """Return a number, whole or not."""
        value = self._values.get(name)
        if type(value) is float:
            return value
        value = self._require(name, "a number")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(name, "a number", value)
        return float(value)

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._require(name, "a text")
        if not isinstance(value, str):
            raise _wrong(name, "a text", value)
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self._require(name, "true or false")
        if not isinstance(value, bool):
            raise _wrong(name, "true or false", value)
        return value

    def __getitem__(self, name: str) -> object:
        return self._require(name, "a value")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Params({self._values!r})"

    def _require(self, name: str, wanted: str) -> object:
        if name not in self._values:
            known = ", ".join(self._values) or "none"
            raise ParameterError(f"parameter {name!r} is not set: give it {wanted} (set: {known})")
        return self._values[name]


def _wrong(name: str, wanted: str, value: object) -> ParameterError:
    return ParameterError(f"parameter {name!r} must be {wanted}, got {type(value).__name__}")
