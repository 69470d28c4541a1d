"""Only who calls the daemon by a name of its own is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.http.hosts import AllowedHosts

HOSTS = AllowedHosts(["tickd.example", "::2"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8420",
        "localhost:8420",
        "LOCALHOST",
        "localhost.",
        "[::1]:8420",
        "[::1]",
        "tickd.example:80",
        "[::2]:1",
    ],
)
def test_names_of_its_own_are_accepted(host: str) -> None:
    assert HOSTS.accepts([host])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:8420",
        "localhost:8420@evil.example",
        "localhost:80:80",
        "localhost:x",
        "[::1]evil",
        "[::1",
        "::1",
        "127.0.0.1 evil.example",
        "",
        "²",
    ],
)
def test_q7_others_are_not(host: str) -> None:
    assert not HOSTS.accepts([host])


def test_there_must_be_exactly_one() -> None:
    assert not HOSTS.accepts([])
    assert not HOSTS.accepts(["localhost", "localhost"])


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    accepted = HOSTS.accepts([text]) or HOSTS.accepts_origin(text)

    assert not accepted or any(
        name in text.lower()
        for name in ("localhost", "127.0.0.1", "[::1]", "tickd.example", "[::2]")
    )


def test_pages_of_its_own_may_ask() -> None:
    assert HOSTS.accepts_origin("http://localhost:8420")
    assert not HOSTS.accepts_origin("http://evil.example")
    assert not HOSTS.accepts_origin("null")
    assert not HOSTS.accepts_origin("http://[broken")
