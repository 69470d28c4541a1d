"""`make check-unit`: the shipped units under a real systemd, on a Debian that was booted for it.

Start, ready, hardening, secrets, a hang, a kill, a stop, a crash loop, two instances, a home.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.machines.debian import ROOT, MissingError, base_root, install_tickd, need, run, say
from tests.machines.verdict import exposure_of, verify_unit

PROGRAMS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "systemd-analyze": "systemd",
}
PACKAGES = ("systemd", "systemd-sysv", "dbus", "procps", "python3", "python3-venv")
BOOT_S_MAX = 420
EXPOSURE_MAX = 1.1
CANARY = "canary-3f9c1d2e7b"

CHECK_UNIT = """\
[Unit]
Description=Look at tickd
After=multi-user.target dbus.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /check/inside.py
StandardOutput=journal+console
[Install]
WantedBy=graphical.target
"""


def main() -> int:
    """Run the whole check; return the exit code."""
    begun_s = time.perf_counter()
    try:
        need(PROGRAMS)
        root = base_root("unit", PACKAGES)
        install_tickd(root)
    except MissingError as error:
        print(f"make check-unit: {error}", file=sys.stderr)
        return 1
    findings = [*_verdicts(root), *_booted(root)]
    for finding in findings:
        mark = "ok    " if finding["good"] else "FAILED"
        print(f"{mark} {finding['what']}" + (f"  [{finding['seen']}]" if finding["seen"] else ""))
    bad = [finding for finding in findings if not finding["good"]]
    seconds = time.perf_counter() - begun_s
    print(f"make check-unit: {len(findings) - len(bad)} of {len(findings)} ok in {seconds:.0f} s")
    return 1 if bad or len(findings) < 40 else 0


def _verdicts(root: Path) -> list[dict[str, object]]:
    """What systemd itself says of the units, without running them."""
    found: list[dict[str, object]] = []
    for unit in sorted((ROOT / "systemd").glob("*.service")):
        shutil.copy(unit, root / "etc/systemd/system")
        told = verify_unit(unit, root / "opt/tickd/bin/tickd")
        found.append({"what": f"nothing is wrong with {unit.name}", "good": not told, "seen": told})
        exposure = exposure_of(unit)
        is_low = exposure <= EXPOSURE_MAX
        found.append({"what": f"exposure of {unit.name}", "good": is_low, "seen": exposure})
    return found


def _booted(root: Path) -> list[dict[str, object]]:
    _lay_out(root)
    say("booting it")
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        command = ["systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--keep-unit"]
        command += ["--register=no", "--private-network", "--volatile=overlay"]
        command += [f"--bind={results}:/results", f"--bind-ro={ROOT / 'tests/machines'}:/check"]
        try:
            booted = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=BOOT_S_MAX,
                check=False,
            ).stdout
        except subprocess.TimeoutExpired as error:
            booted = error.stdout or b""
            print(booted.decode(errors="replace")[-2000:], file=sys.stderr)
        findings = results / "findings.jsonl"
        if (results / "journal.txt").is_file():
            kept = ROOT / ".cache/machines/unit-journal.txt"
            shutil.copy(results / "journal.txt", kept)
            say(f"the services' log is in {kept.relative_to(ROOT)}")
        if not findings.is_file():
            print(booted.decode(errors="replace")[-2000:], file=sys.stderr)
            return [{"what": "the machine was booted", "good": False, "seen": ""}]
        return [json.loads(line) for line in findings.read_text().splitlines()]


def _lay_out(root: Path) -> None:
    """Put there what a person would: a configuration, a strategy, secrets, a look from outside."""
    etc = root / "etc/tickd"
    etc.mkdir(exist_ok=True)
    shutil.copy(ROOT / "tests/machines/probe_strategy.py", etc / "probe.py")
    (etc / "config.toml").write_text(CONFIG)
    store = root / "etc/credstore"
    store.mkdir(mode=0o700, exist_ok=True)
    for name in ("api_key", "api_secret"):
        path = store / f"tickd.exchange.{name}"
        path.write_text(f"{CANARY}-{name}\n")
        path.chmod(0o600)
    unit = root / "etc/systemd/system/check.service"
    unit.write_text(CHECK_UNIT)
    run(["systemctl", f"--root={root}", "enable", "check.service"])
    (root / "check").mkdir(exist_ok=True)
    (root / "results").mkdir(exist_ok=True)


CONFIG = """\
[daemon]
strategy_stretch_max_ms = 250

[alerts.webhook]
url = "http://127.0.0.1:9099/hook"

[[strategies]]
name = "probe"
path = "./probe.py:Probe"
symbols = ["BTC/USDT", "ETH/USDT"]
"""


if __name__ == "__main__":
    sys.exit(main())
