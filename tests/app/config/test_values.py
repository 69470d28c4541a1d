"""Single values: what is taken, what is refused, and with which hint."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from daemon.app.config import values
from tests.app.samples import CANARY, load, problems


@pytest.mark.parametrize("symbol", ["BTC/USDT", "1000SATS/USDT", "BTC/USDT:USDT", "kBONK/USDC"])
def test_markets_are_taken_as_ccxt_writes_them(symbol: str) -> None:
    assert values.check_symbol(symbol) == symbol


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [
        ("btcusdt", 'did you mean "BTC/USDT"?'),
        ("BTC-USDT", 'did you mean "BTC/USDT"?'),
        ("BTC_USDT", 'did you mean "BTC/USDT"?'),
        ("btc/usdt", 'did you mean "BTC/USDT"?'),
        ("BTC / USDT", 'did you mean "BTC/USDT"?'),
        ("BTC", 'write it as in "BTC/USDT"'),
        ("", 'write it as in "BTC/USDT"'),
        ("../../etc", 'write it as in "BTC/USDT"'),
        ("A/B/C", 'write it as in "BTC/USDT"'),
        ("BTC/USDT\n", 'did you mean "BTC/USDT"?'),
    ],
)
def test_other_spellings_are_refused_with_the_likely_one(symbol: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is no market") as error:
        values.check_symbol(symbol)
    assert hint in str(error.value)


@given(st.text(max_size=50))
def test_any_text_is_a_market_or_refused(text: str) -> None:
    try:
        symbol = values.check_symbol(text)
    except ValueError:
        return
    assert symbol.isprintable()
    assert "/" in symbol


@pytest.mark.parametrize("name", ["", " ", "a ", "a\nb", "\x1b[31m", "x" * 101])
def test_a_name_that_would_break_a_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must"):
        values.check_name(name)


@pytest.mark.parametrize("text", ["a.b:C", "./my.py:C", "/x/my strategy.py:C", "~/x.py:C"])
def test_a_class_is_named_by_module_or_file(text: str) -> None:
    assert values.check_reference(text) == text


@pytest.mark.parametrize(
    "text", ["", ":", "a", "a.b", "a.b:", "a.b:C.D", "a-b:C", "./my:C", "a b:C", ".py", "a..b:C"]
)
def test_what_names_no_class_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is neither"):
        values.check_reference(text)


@pytest.mark.parametrize(
    "url", ["x", "ftp://h/", "https://", f"https://u:{'p'}@h/", "https://u@h/", "https://h/a b", ""]
)
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        values.check_url(url)
    with pytest.raises(ValueError, match="must"):
        values.check_secret_url(SecretStr(url))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "tickd.example.com", "0.0.0.0"])
def test_addresses_and_names_are_hosts(host: str) -> None:
    assert values.check_host(host) == host


@pytest.mark.parametrize("host", ["", "a b", "127.0.0.1:80", "http://x", "-x", "[::1]"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="without a port"):
        values.check_host(host)


def test_only_this_machine_reaches_loopback() -> None:
    inside = ("127.0.0.1", "127.9.9.9", "::1", "localhost")
    outside = ("0.0.0.0", "::", "10.0.0.1", "example.com")

    assert all(map(values.is_loopback, inside))
    assert not any(map(values.is_loopback, outside))


def test_a_time_without_a_zone_is_utc() -> None:
    naive = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - that it has no zone is the point

    assert values.as_utc(naive) == datetime(2026, 1, 1, 12, tzinfo=UTC)
    east = naive.replace(tzinfo=timezone(timedelta(hours=2)))
    assert values.as_utc(east) == datetime(2026, 1, 1, 10, tzinfo=UTC)


def test_a_path_is_no_empty_text_and_knows_the_home_folder() -> None:
    assert values.check_path("~/x") == Path.home() / "x"
    assert values.check_path(3) == 3
    for text in ("", "  ", "a\0b", "~nobody-of-this-name/x"):
        with pytest.raises(ValueError, match=r"must be a path|home folder"):
            values.check_path(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('quiet_hours = "22-7"', "as in"),
        ('quiet_hours = "07:00-07:00"', "two different times"),
        ('time_zone = "Mars/Olympus"', "no time zone that this machine knows"),
        ('kinds = ["signal_open"]', "signal_opened"),
        ("chat_id = 42", "there is no token"),
        ('token_file = "/nowhere"', "cannot be read"),
    ],
)
def test_c9_a_wrong_alert_setting_says_what_to_write(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in line for line in problems(tmp_path, f"[alerts.telegram]\n{text}"))


def test_q3_a_token_that_is_none_is_refused_and_not_told(tmp_path: Path) -> None:
    environ = {"TICKD__ALERTS__TELEGRAM__TOKEN": CANARY}

    (line,) = problems(tmp_path, "[alerts.telegram]\nchat_id = 1", environ)

    assert "no token as @BotFather gives them" in line
    assert CANARY not in line


def test_c6_the_line_end_of_a_token_file_is_no_part_of_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("12345:abcdefghijkl\n")
    token.chmod(0o600)

    config = load(tmp_path, f'[alerts.telegram]\ntoken_file = "{token}"\nchat_id = 1').config

    assert config.alerts.telegram.token is not None
    assert config.alerts.telegram.token.get_secret_value() == "12345:abcdefghijkl"
    assert "abcdefghijkl" not in str(config.plain())
