"""`make check-install`: a bare Debian, and the commands of the documentation, word for word.

An older version is installed and opens a position, is upgraded to this one, and keeps it. Then all
there is to see, until Prometheus says that tickd is up and Telegram has been told of its start; a
backup, and its restore. What pip needs is fetched outside: how to reach a package index is no
matter of ours, and the repository is cloned from a folder of the machine.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.machines.debian import (
    CACHE,
    PYTHON,
    ROOT,
    MissingError,
    base_root,
    need,
    run,
    say,
    steps_of,
)

PROGRAMS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container"}
PACKAGES = ("systemd", "systemd-sysv", "dbus", "ca-certificates")
BOOT_S_MAX = 600
FINDINGS_MIN = 28
OLDER_COMMITS = 30
"""So far back is the version that is upgraded."""

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
HOLDER = """\

[[strategies]]
name = "holder"
path = "./holder.py:Holder"
symbols = ["BTC/USDT"]
"""
"""A strategy of the user's own, which keeps a position open for as long as all of this takes."""

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
        root = CACHE / "installed"
        shutil.rmtree(root, ignore_errors=True)
        run(["cp", "--archive", str(bare), str(root)])
        _lay_out(root)
    except MissingError as error:
        print(f"make check-install: {error}", file=sys.stderr)
        return 1
    _install(root)
    findings = _booted(root)
    for finding in findings:
        mark = "ok    " if finding["good"] else "FAILED"
        print(f"{mark} {finding['what']}" + (f"  [{finding['seen']}]" if finding["seen"] else ""))
    good = sum(bool(finding["good"]) for finding in findings)
    seconds = time.perf_counter() - begun_s
    print(f"make check-install: {good} of {len(findings)} ok in {seconds:.0f} s")
    return 0 if good == len(findings) >= FINDINGS_MIN else 1


def _lay_out(root: Path) -> None:
    """Put the repository there, as `git clone` would of old, and what looks at the result."""
    origin, source = root / "origin.git", root / "src/tickd"
    older = _publish(origin)
    source.parent.mkdir()
    run(["git", "clone", "--quiet", str(origin), str(source)])
    run(["git", "-C", str(source), "remote", "set-url", "origin", "/origin.git"])
    run(["git", "-C", str(source), "reset", "--quiet", "--hard", older])
    (root / "etc/systemd/system/check.service").write_text(CHECK_UNIT)
    (root / "token").write_text(f"{TOKEN}\n")
    (root / "etc/tickd").mkdir()
    shutil.copy(ROOT / "tests/machines/holder.py", root / "etc/tickd")
    (root / "holder.toml").write_text(HOLDER)
    steps = {
        "start": steps_of("install.md", "enable --now tickd\n")[1:2],
        "upgrade": ["cd /src/tickd", *steps_of("install.md", "--force-reinstall")],
        "prometheus": steps_of("operations.md", "apt install")[-1:],
        "backup": steps_of("operations.md", "tar -C /var/lib/private"),
        "snapshot": steps_of("operations.md", "--signal=STOP"),
        "restore": steps_of("operations.md", "tar -C /var/lib -xzf"),
    }
    (root / "steps").mkdir()
    for name, lines in steps.items():
        (root / f"steps/{name}.sh").write_text("set -e\n" + "\n".join(lines) + "\n")


def _publish(origin: Path) -> str:
    """Make a repository whose newest commit is this tree as it stands; return an older one."""
    older = run(
        ["git", "-C", str(ROOT), "rev-list", f"--skip={OLDER_COMMITS}", "--max-count=1", "HEAD"]
    ).strip()
    if not older:
        raise MissingError(f"needs a clone with the last {OLDER_COMMITS} commits")
    run(["git", "clone", "--quiet", "--bare", str(ROOT), str(origin)])
    git = ["git", f"--git-dir={origin}", f"--work-tree={ROOT}"]
    git += ["-c", "user.name=check", "-c", "user.email=check@localhost"]
    environ = {**os.environ, "GIT_INDEX_FILE": str(origin / "as-it-stands")}
    run([*git, "add", "--all"], environ=environ)
    tree = run([*git, "write-tree"], environ=environ).strip()
    commit = run([*git, "commit-tree", "-p", "HEAD", "-m", "As it stands", tree]).strip()
    run([*git, "update-ref", "refs/heads/main", commit])
    run([*git, "symbolic-ref", "HEAD", "refs/heads/main"])
    return older


def _install(root: Path) -> None:
    wheels = CACHE / "wheels"
    say("fetching the locked libraries")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    for folder in (root / "src/tickd", ROOT):
        lock = folder / "requirements.lock"
        run([*pip, "--require-hashes", "-r", str(lock), "--dest", str(wheels)])
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
        f"{CHAT}cat /holder.toml >> /etc/tickd/config.toml",
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
        command += [f"--bind-ro={CACHE / 'wheels'}:/wheels"]
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
