"""The shipped file and the reference page tell every setting."""

import tomllib
from pathlib import Path

from daemon.app.config.document import render_markdown, render_toml, toml_value
from daemon.app.config.environment import name_of
from daemon.app.config.shipped import SHIPPED
from daemon.app.config.tree import EACH, walk

ROOT = Path(__file__).parents[3]


def test_the_reference_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert page == render_markdown(), "run: tickd config reference > docs/configuration.md"


def test_every_setting_is_described_in_the_page_and_in_the_file() -> None:
    page, file = render_markdown(), render_toml()

    for setting in walk():
        name = setting.path[-1]
        if setting.section is None:
            assert setting.field.description, setting.path
            assert f"| `{name}` |" in page, setting.path
            assert setting.is_secret or f"\n{name} = " in file or f"\n# {name} = " in file, name
        if setting.is_secret:
            assert name_of(setting.path) in page


def test_every_number_has_bounds() -> None:
    for setting in walk():
        if setting.field.annotation in {int, float} and setting.path[-2:] != ("faults", "seed"):
            names = {name for item in setting.field.metadata for name in _bounds(item)}
            assert len(names) == 2, setting.path


def test_examples_in_the_file_are_settings_that_work() -> None:
    """Each "# key = example" line, taken alone, makes a file that parses."""
    for line in render_toml().splitlines():
        if line.startswith("# ") and " = " in line and line[2].islower():
            key, _, value = line[2:].partition(" = ")
            if key.isidentifier():
                assert key in tomllib.loads(f"{key} = {value}")


def test_the_shipped_differences_are_settings() -> None:
    paths = {setting.path for setting in walk() if EACH not in setting.path}

    assert set(SHIPPED) <= paths


def test_values_are_written_as_toml_reads_them() -> None:
    values = {
        "text": 'a "quoted" \\ text\n',
        "flag": True,
        "number": 1e-05,
        "list": ["a", 1],
        "table": {"x": 1, "y": "z"},
        "none": {},
        "path": Path("/tmp/x"),
    }

    for key, value in values.items():
        read = tomllib.loads(f"v = {toml_value(value)}")["v"]
        assert read == (str(value) if isinstance(value, Path) else value), key


def _bounds(item: object) -> list[str]:
    return [name for name in ("ge", "gt", "le", "lt") if hasattr(item, name)]
