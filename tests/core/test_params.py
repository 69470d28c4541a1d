"""Parameters come out as the kind that was asked for, or with an error that names them."""

import pytest

from daemon.core.params import ParameterError, Params


def test_later_layers_win() -> None:
    params = Params({"fast": 10, "slow": 30}, {"fast": 5})

    assert dict(params) == {"fast": 5, "slow": 30}


def test_each_kind_comes_out_as_itself() -> None:
    params = Params({"whole": 3, "part": 0.5, "word": "up", "switch": True})

    assert params.integer("whole") == 3
    assert params.number("whole") == 3.0
    assert params.number("part") == 0.5
    assert params.text("word") == "up"
    assert params.flag("switch") is True


@pytest.mark.parametrize(
    ("getter", "name"),
    [("integer", "part"), ("integer", "switch"), ("number", "word"), ("text", "whole")],
)
def test_the_wrong_kind_is_told_by_name(getter: str, name: str) -> None:
    params = Params({"whole": 3, "part": 0.5, "word": "up", "switch": True})

    with pytest.raises(ParameterError, match=f"parameter '{name}' must be"):
        getattr(params, getter)(name)


def test_a_missing_one_is_told_with_those_that_are_set() -> None:
    with pytest.raises(ParameterError, match=r"'fsat' is not set.*set: fast"):
        Params({"fast": 1}).integer("fsat")


def test_the_source_may_change_without_harm() -> None:
    source: dict[str, object] = {"fast": 1}
    params = Params(source)

    source["fast"] = 99

    assert params.integer("fast") == 1


def test_they_are_a_mapping_as_any_other() -> None:
    params = Params({"fast": 1})

    assert "fast" in params
    assert "slow" not in params
    assert params.get("slow", 7) == 7
    assert str(ParameterError("a line")) == "a line"
