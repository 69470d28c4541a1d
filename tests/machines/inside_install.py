"""Runs on the machine that was installed by the documentation: starts tickd and looks, as a person.

Standard library alone. Each finding is a line of JSON in `/results/findings.jsonl`; then the
machine is switched off.
"""

import json
import os
import subprocess
import time
import traceback
from collections.abc import Callable
from pathlib import Path

UP = "promtool query instant http://127.0.0.1:9090 'up{job=\"tickd\"}'"
BOT = "/opt/tickd/bin/python /tree/tests/machines/bot.py"


def note(what: str, is_good: object, seen: object = "") -> None:
    with Path("/results/findings.jsonl").open("a") as file:
        file.write(json.dumps({"what": what, "good": bool(is_good), "seen": str(seen)}) + "\n")


def sh(command: str) -> str:
    return try_it(command)[1]


def try_it(command: str) -> tuple[int, str]:
    environ = {**os.environ, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}
    ended = subprocess.run(
        command, shell=True, env=environ, stdout=-1, stderr=-2, text=True, timeout=120, check=False
    )
    return ended.returncode, ended.stdout.strip()


def until(is_so: Callable[[], bool], timeout_s: float) -> bool:
    end_s = time.perf_counter() + timeout_s
    while time.perf_counter() < end_s:
        if is_so():
            return True
        time.sleep(0.5)
    return False


def works(what: str, command: str) -> None:
    code, told = try_it(command)
    note(what, code == 0, told[-300:] if code else "")


def sent() -> str:
    path = Path("/tmp/sent.json")
    return path.read_text() if path.exists() else ""


def start() -> None:
    until(lambda: sent() != "", 30)
    works("tickd check is content, also with Telegram", "tickd check")
    works("it starts", "bash /steps/start.sh")
    told = until(lambda: "started" in sent(), 20)
    note("Telegram has the start message", told, sent()[:60])
    works("Prometheus and Alertmanager start", "bash /steps/prometheus.sh")
    note("Prometheus shows up 1", until(lambda: "=> 1 @" in sh(UP), 60), sh(UP))
    listening = [
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    note("nothing listens to the network", all(at.startswith("0100007F:") for at in listening))


def command() -> None:
    works("root can pause", "tickd pause BTC/USDT breakout")
    works("and resume", "tickd resume BTC/USDT breakout")
    works("root can look at the state", "tickd state verify && tickd journal verify")
    works("systemctl reload works", "systemctl reload tickd")
    refused, told = try_it("/opt/tickd/bin/tickd state show --folder /var/lib/tickd/sandbox-signal")
    note("the program itself says what to do", refused and "run it as that user" in told, told)


def keep() -> None:
    Path("/var/backups").mkdir(exist_ok=True)
    works("a snapshot can be taken while it runs", "bash /steps/snapshot.sh")
    works("a backup can be made", "bash /steps/backup.sh")
    works("it is restored and goes on", "bash /steps/restore.sh")
    sh("systemctl stop tickd; rm -r /var/lib/private/tickd /var/lib/tickd")
    sh("cp -a /var/backups/tickd-state /var/lib/tickd; chown -R root: /var/lib/tickd")
    works("so is a snapshot, on a machine that had none", "systemctl start tickd")
    works("and all its files can be trusted", "tickd state verify")


def main() -> None:
    bot = subprocess.Popen(BOT.split(), env={**os.environ, "PYTHONPATH": "/tree"})
    try:
        for step in (start, command, keep):
            step()
    except Exception:  # noqa: BLE001 - whatever went wrong is a finding
        note("all steps could be carried out", False, traceback.format_exc()[-800:])
    finally:
        bot.kill()


try:
    main()
finally:
    subprocess.run(["systemctl", "poweroff", "--no-block"], check=False)
