"""Secrets are taken out by value, whatever they were encoded as."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.redaction import HIDDEN, Redactor

SECRET = 'k/9+"ü=x\\y-CANARY-0123456789'  # every character that some encoding changes
secrets = st.text(min_size=6, max_size=80).filter(lambda text: len(text.strip()) >= 6)


def test_text_without_a_secret_is_left_alone() -> None:
    assert Redactor([SECRET]).redact("nothing to see") == "nothing to see"
    assert Redactor().redact("nothing to hide") == "nothing to hide"


@given(secrets, st.text(max_size=30), st.text(max_size=30))
def test_no_encoding_of_a_secret_passes(secret: str, before: str, after: str) -> None:
    secret = secret.strip()
    raw = secret.encode("utf-8")
    seen = [
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret).lower() if secret.isascii() and secret.islower() else quote(secret),
        raw.hex(),
        b64encode(raw).decode().rstrip("="),
        urlsafe_b64encode(raw).decode().rstrip("="),
    ]
    redactor = Redactor([secret])

    for form in seen:
        assert HIDDEN in redactor.redact(f"{before}{form}{after}"), form


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_a_secret_inside_longer_base64_is_found(before: bytes, after: bytes) -> None:
    """Basic authentication encodes user and password together."""
    header = b64encode(before + SECRET.encode() + after).decode()

    shown = Redactor([SECRET]).redact(header)

    assert HIDDEN in shown
    assert len(shown.replace(HIDDEN, "")) < 32


@given(st.integers(6, len(SECRET) - 1))
def test_a_text_that_was_cut_in_a_secret_loses_the_stump(length: int) -> None:
    text = "x" * 200 + SECRET[:length]

    assert SECRET[:6] not in Redactor([SECRET]).redact(text)


def test_a_secret_within_a_secret_is_blotted_out_whole() -> None:
    redactor = Redactor(["canary", "canary-and-more"])

    assert redactor.redact("a canary-and-more b") == f"a {HIDDEN} b"


def test_short_values_are_not_looked_for() -> None:
    redactor = Redactor(["abc", "", "  "])

    assert redactor.redact("abc") == "abc"


def test_a_key_of_many_lines_is_found_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----\n"

    assert Redactor([key]).redact("line 2: mnopqrstuvwx") == f"line 2: {HIDDEN}"


def test_values_are_scrubbed_deeply_and_keep_their_shape() -> None:
    class Foreign:
        def __str__(self) -> str:
            return f"foreign {SECRET}"

    class Broken:
        def __str__(self) -> str:
            raise ValueError(SECRET)

    value = {
        "text": SECRET,
        SECRET: [1, 2.5, True, None],
        "bytes": SECRET.encode(),
        "error": ValueError(SECRET),
        "deep": ({"x": {SECRET}},),
        "foreign": Foreign(),
        "broken": Broken(),
    }

    scrubbed = Redactor([SECRET]).scrub(value)

    assert scrubbed == {
        "text": HIDDEN,
        HIDDEN: [1, 2.5, True, None],
        "bytes": HIDDEN,
        "error": HIDDEN,
        "deep": [{"x": [HIDDEN]}],
        "foreign": f"foreign {HIDDEN}",
        "broken": "(Broken without text)",
    }


def test_a_numeric_secret_is_found_as_a_number() -> None:
    assert Redactor(["12345678"]).scrub({"id": 12345678}) == {"id": HIDDEN}


def test_a_redactor_does_not_show_what_it_holds() -> None:
    assert SECRET not in repr(Redactor([SECRET]))


def test_a_secret_that_is_learned_later_is_hidden_and_the_old_one_stays_so() -> None:
    redactor = Redactor(["first-secret"])

    redactor.learn(["second-secret"])

    assert redactor.redact("first-secret second-secret") == f"{HIDDEN} {HIDDEN}"
