"""`make check-install`: a bare Debian, and the commands of the documentation, word for word.

Until Prometheus says that tickd is up and Telegram has been told of its start; then a backup, and
its restore. What pip needs is fetched outside: how to reach a package index is no matter of ours.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.doc_stage import blocks_of
from tests.machines.debian import CACHE, PYTHON, ROOT, MissingError, base_root, need, run, say

PROGRAMS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container"}
PACKAGES = ("systemd", "systemd-sysv", "dbus", "ca-certificates")
BOOT_S_MAX = 300
FINDINGS_MIN = 12
TOKEN = "123456:" + "AAtestTokenOfNobody_x9Zq7Lm"

CHECK_UNIT = """\
[Unit]
Description=Look at what was installed
After=multi-user.target dbus.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/bin/python3 /tree/tests/machines/inside_install.py
StandardOutput=journal+console
[Install]
WantedBy=graphical.target
"""
CHAT = """\
sed -i 's|^# chat_id = .*|chat_id = 42|' /etc/tickd/config.toml
sed -i 's|^base_url = .*|base_url = "http://127.0.0.1:9099"|' /etc/tickd/config.toml
"""
"""What a person edits in the configuration; the address is that of the local Bot API."""


def main() -> int:
    """Run the whole check; return the exit code."""
    begun_s = time.perf_counter()
    if sys.version_info[:2] != PYTHON:
        print(f"make check-install: needs Python {PYTHON[0]}.{PYTHON[1]}, as that Debian has it")
        return 1
    try:
        need(PROGRAMS)
        bare = base_root("install", PACKAGES)
    except MissingError as error:
        print(f"make check-install: {error}", file=sys.stderr)
        return 1
    root = CACHE / "installed"
    shutil.rmtree(root, ignore_errors=True)
    run(["cp", "--archive", str(bare), str(root)])
    _lay_out(root)
    _install(root)
    findings = _booted(root)
    for finding in findings:
        mark = "ok    " if finding["good"] else "FAILED"
        print(f"{mark} {finding['what']}" + (f"  [{finding['seen']}]" if finding["seen"] else ""))
    good = sum(bool(finding["good"]) for finding in findings)
    seconds = time.perf_counter() - begun_s
    print(f"make check-install: {good} of {len(findings)} ok in {seconds:.0f} s")
    return 0 if good == len(findings) >= FINDINGS_MIN else 1


def steps_of(page: str, phrase: str) -> list[str]:
    """Return the lines of the one block of a page that holds a phrase."""
    (block,) = [one for one in blocks_of(ROOT / "docs" / page) if phrase in one.text]
    # What stands beside a command, after a gap, is for the reader.
    return [line.split("        ")[0] for line in block.text.splitlines()]


def _lay_out(root: Path) -> None:
    """Put the repository there, as `git clone` would, and what looks at the result."""
    source = root / "src/tickd"
    names = run(["git", "-C", str(ROOT), "ls-files", "-z"]).split("\0")
    for name in filter(None, names):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    (root / "etc/systemd/system/check.service").write_text(CHECK_UNIT)
    (root / "token").write_text(f"{TOKEN}\n")
    steps = {
        "start": steps_of("install.md", "enable --now tickd\n")[1:2],
        "prometheus": steps_of("operations.md", "apt install")[-1:],
        "backup": steps_of("operations.md", "tar -C /var/lib/private"),
        "snapshot": steps_of("operations.md", "--signal=STOP"),
        "restore": steps_of("operations.md", "tar -C /var/lib -xzf"),
    }
    (root / "steps").mkdir()
    for name, lines in steps.items():
        (root / f"steps/{name}.sh").write_text("set -e\n" + "\n".join(lines) + "\n")


def _install(root: Path) -> None:
    wheels = CACHE / "wheels"
    say("fetching the locked libraries")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock"), "--dest", str(wheels)])
    (root / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    secret = [
        line + (" < /token" if "/dev/stdin" in line else "")
        for line in steps_of("install.md", "credstore/tickd.alerts.telegram.token")
        if "telegram" in line or "-d -m" in line
    ]
    lines = [
        "set -ex; export DEBIAN_FRONTEND=noninteractive; cd /src/tickd; apt-get -qq update",
        *steps_of("install.md", "apt install"),
        *steps_of("install.md", "enable --now tickd\n")[:1],
        *secret,
        CHAT,
        *steps_of("operations.md", "apt install")[:-1],
        "systemctl enable check.service",
    ]
    script = "\n".join(lines).replace("apt install", "apt-get -qq install --yes")
    (root / "steps/install.sh").write_text(script)
    say("installing, as the documentation tells")
    enter = ["systemd-nspawn", "--quiet", f"--directory={root}", "--keep-unit", "--register=no"]
    enter += ["--resolv-conf=copy-host", "--pipe", f"--bind-ro={wheels}:/wheels"]
    run([*enter, "bash", "/steps/install.sh"])


def _booted(root: Path) -> list[dict[str, object]]:
    say("booting it")
    with tempfile.TemporaryDirectory() as folder:
        command = ["systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--keep-unit"]
        command += ["--register=no", "--private-network"]
        command += [f"--bind={folder}:/results", f"--bind-ro={ROOT}:/tree"]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=BOOT_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            say(f"it did not end within {BOOT_S_MAX} s")
        findings = Path(folder) / "findings.jsonl"
        if not findings.is_file():
            return [{"what": "the machine was booted", "good": False, "seen": ""}]
        return [json.loads(line) for line in findings.read_text().splitlines()]


if __name__ == "__main__":
    sys.exit(main())
