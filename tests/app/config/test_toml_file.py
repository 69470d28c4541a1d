"""What is wrong with a file is told with its line and column."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.app.config.problems import ConfigError
from daemon.app.config.toml_file import find_positions, parse_toml, read_toml


def told(raw: bytes) -> str:
    with pytest.raises(ConfigError) as error:
        parse_toml("config.toml", raw)
    return str(error.value)


def fault_of(raw: bytes) -> str:
    """Return what is wrong with a file, an empty text if nothing is."""
    try:
        parse_toml("config.toml", raw)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            b"\xef\xbb\xbfa = 1",
            (
                "config.toml:1:1: begins with a byte order mark. Save the file as UTF-8 without a"
                " byte order mark"
            ),
        ),
        (
            b"[rules]\npercent_fee = 0,1\n",
            (
                "config.toml:2:16: is not valid TOML: Expected newline or end of document after a"
                " statement. Write decimals with a point: 0.1"
            ),
        ),
        (
            b"[rules]\nalign = no\n",
            "config.toml:2:9: is not valid TOML: Invalid value. Write true or false",
        ),
        (
            b"[rules]\nalign = True\n",
            "config.toml:2:9: is not valid TOML: Invalid value. Write true or false",
        ),
        (
            b"port = 007\n",
            (
                "config.toml:1:9: is not valid TOML: Expected newline or end of document after a"
                " statement. Write numbers without leading zeros"
            ),
        ),
        (
            b"timeout_s = 5s\n",
            (
                "config.toml:1:14: is not valid TOML: Expected newline or end of document after a"
                " statement. Write the number alone: the unit is in the key"
            ),
        ),
        (
            b"port: 80\n",
            (
                "config.toml:1:5: is not valid TOML: Expected '=' after a key in a key/value pair."
                " Write key = value"
            ),
        ),
        (
            b"id = binance\n",
            'config.toml:1:6: is not valid TOML: Invalid value. Put text in quotes: "..."',
        ),
        (
            "id = \u201cbinance\u201d\n".encode(),
            'config.toml:1:6: is not valid TOML: Invalid value. Use straight quotes: "',
        ),
        (
            b"url = null\n",
            (
                "config.toml:1:7: is not valid TOML: Invalid value. Leave the key out to have its"
                " default"
            ),
        ),
        (
            b"a = 1\na = 2\n",
            (
                "config.toml:2:6: is not valid TOML: Cannot overwrite a value: the key or table"
                " stands there twice. Keep one of the two"
            ),
        ),
        (
            b"[a]\n[b]\n[a]\n",
            (
                "config.toml:3:3: is not valid TOML: Cannot declare ('a',) twice: the key or table"
                " stands there twice. Keep one of the two"
            ),
        ),
        (b"a = 1\n\xff\n", "config.toml:2:1: is not UTF-8 text. Save it as UTF-8"),
        (
            b"[http]\nport = ",
            (
                "config.toml:2:8: is not valid TOML: Invalid value. The file ends in the middle:"
                " was it written to the end?"
            ),
        ),
        (
            b'[exchange]\nid = "bin',
            (
                "config.toml:2:10: is not valid TOML: Unterminated string. The file ends in the"
                " middle: was it written to the end?"
            ),
        ),
        (b"x=" + b"[" * 5000, "config.toml: is nested too deeply. Write plain tables"),
    ],
)
def test_c9_what_is_no_toml_is_told_with_its_line_column_and_remedy(raw: bytes, line: str) -> None:
    assert told(raw) == line


def test_c9_tabs_and_windows_line_ends_are_allowed() -> None:
    file = parse_toml("config.toml", b"[http]\r\n\tport\t=\t8_0\r\n")

    assert file.data == {"http": {"port": 80}}
    assert file.where(("http", "port")) == "config.toml:2:2"


def test_a_huge_file_is_no_configuration() -> None:
    assert "is larger than" in told(b"#" * (1 << 21))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(raw: bytes) -> None:
    fault = fault_of(raw)

    assert "\n" not in fault
    assert not fault or fault.startswith("config.toml")


def test_a_torn_file_is_refused_at_every_byte() -> None:
    whole = b'[[strategies]]\nname = "a"\nsymbols = ["BTC/USDT", "ETH/USDT"]\n'

    for length in range(len(whole)):
        fault = fault_of(whole[:length])
        assert not fault or fault.startswith("config.toml:")


def test_a_file_without_an_end_is_read_in_bounds() -> None:
    with pytest.raises(ConfigError, match="is larger than"):
        read_toml(Path("/dev/zero"))


def test_a_pipe_is_read_to_its_end_and_one_without_a_writer_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a = 1\n")
    os.close(writing)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr("daemon.app.config.toml_file.LOOKS_MAX", 3)

    assert read_toml(Path(f"/dev/fd/{reading}")).data == {"a": 1}
    os.close(reading)
    # Both with nobody who has it open, and with a writer that says nothing.
    with pytest.raises(ConfigError, match="no plain file"):
        read_toml(pipe)
    silent = os.open(pipe, os.O_RDWR)
    with pytest.raises(ConfigError, match="no plain file"):
        read_toml(pipe)
    os.close(silent)


def test_a_folder_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read_toml(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: is a folder, not a file. Name the file: {tmp_path}/config.toml"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch(mode=0)

    with pytest.raises(ConfigError, match="may not be read"):
        read_toml(path)


def test_a_name_that_no_file_can_have_is_told_in_one_line() -> None:
    for name in ("x\0y", "x" * 5000):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_toml(Path(name))


def test_keys_are_found_in_tables_lists_of_tables_and_below_multi_line_text() -> None:
    text = '''
a.b = 1
[one]
text = """
[two]
x = 1
"""
  key = 2
[[list]]
k = 1
[list.inner]
k = 2
[[list]]
k = 3
["quoted.name"]
k = 4
'''
    positions = find_positions(text)

    assert positions == {
        ("a", "b"): (2, 1),
        ("one",): (3, 1),
        ("one", "text"): (4, 1),
        ("one", "key"): (8, 3),
        ("list",): (9, 1),
        ("list", 0): (9, 1),
        ("list", 0, "k"): (10, 1),
        ("list", 0, "inner"): (11, 1),
        ("list", 0, "inner", "k"): (12, 1),
        ("list", 1): (13, 1),
        ("list", 1, "k"): (14, 1),
        ("quoted.name",): (15, 1),
        ("quoted.name", "k"): (16, 1),
    }


def test_a_key_without_a_position_is_told_by_the_table_that_holds_it() -> None:
    file = parse_toml("config.toml", b'[exchange]\nurls = { public = "x" }\n')

    assert file.where(("exchange", "urls", "public")) == "config.toml:2:1"
    assert file.where(("http", "port")) == "config.toml"
