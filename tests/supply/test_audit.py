"""The search for known faults fails wherever it has not looked."""

import json
import os
from pathlib import Path

import pytest

from tests.supply.audit import COMMAND, Told, audit, judge, pinned

ROOT = Path(__file__).parents[2]
WANTED = {"idna": "3.10", "yarl": "1.20"}
WELL = {"name": "idna", "version": "3.10", "vulns": []}
ALSO_WELL = {"name": "yarl", "version": "1.20", "vulns": []}
ILL = {
    "name": "yarl",
    "version": "1.20",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.21"], "description": "bad"}],
}
SKIPPED = {"name": "yarl", "skip_reason": "Dependency not found and could not be audited"}


def told(*rows: object, code: int = 0) -> Told:
    return Told(code, json.dumps({"dependencies": rows, "fixes": []}), "No known vulnerabilities")


def test_what_was_looked_at_and_is_well_passes_with_its_count() -> None:
    verdict = judge(WANTED, told(WELL, ALSO_WELL))

    assert verdict.faults == ()
    assert verdict.looked_at == 2


@pytest.mark.parametrize(
    ("wanted", "answer", "fault"),
    [
        (WANTED, told(WELL, ILL, code=1), "yarl 1.20: PYSEC-1, fixed in 1.21"),
        (WANTED, told(WELL, SKIPPED), "yarl 1.20 was not looked at"),
        (WANTED, told(WELL), "yarl 1.20 was not looked at"),
        (WANTED, told(WELL, {**ALSO_WELL, "version": "1.19"}), "yarl 1.20 was not looked at"),
        (WANTED, told(), "idna 3.10 was not looked at"),
        (WANTED, told(WELL, ALSO_WELL, code=2), "pip-audit ended with 2"),
        (WANTED, Told(0, "", ""), "nobody could look (exit 0): it said nothing"),
        (WANTED, Told(1, "", "Trace\nNoRoute: x\n"), "nobody could look (exit 1): NoRoute: x"),
        ({}, told(), "the lock names nothing"),
    ],
)
def test_q13_silence_is_no_health(wanted: dict[str, str], answer: Told, fault: str) -> None:
    assert fault in judge(wanted, answer).faults


def test_q13_where_nobody_can_be_asked_the_real_search_fails(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"idna==3.10 \\\n    --hash=sha256:{'0' * 64}\n")
    nowhere = "http://127.0.0.1:9"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HTTPS_PROXY": nowhere}

    verdict = audit(lock, environ)

    assert verdict.looked_at == 0
    assert verdict.faults[0].startswith("nobody could look (exit 1): ")


def test_q13_the_search_is_strict_and_knows_every_package_of_a_lock() -> None:
    assert "--strict" in COMMAND

    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert len(pinned(lock)) == lock.count("==") > 20
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\naudit: $(DEV)" in makefile
    assert "@$(BIN)/python -m tests.supply\n" in makefile
