"""Runs on the machine that was installed by the documentation: starts tickd and looks, as a person.

Standard library alone. Each finding is a line of JSON in `/results/findings.jsonl`; then the
machine is switched off.
"""

import json
import os
import subprocess
import time
import traceback
import urllib.request
from collections.abc import Callable
from pathlib import Path

UP = "promtool query instant http://127.0.0.1:9090 'up{job=\"tickd\"}'"
AGAIN = "cat /steps/upgrade.sh"
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


def held() -> str:
    """Return the id of the position that is held through all of this; empty where there is none."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8420/status", timeout=5) as answer:
            tasks = json.load(answer)["tasks"]
    except OSError:
        return ""
    return "".join(
        task["signal_id"]
        for task in tasks
        if task["strategy_name"] == "holder" and task["state"] == "active"
    )


def files_of(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*.py"))


def upgrade() -> str:
    """Go from the older version to this one; return the id of the position that is open."""
    until(lambda: sent() != "", 30)
    works("an older version starts", "bash /steps/start.sh")
    note("Telegram has the start message", until(lambda: "started" in sent(), 20), sent()[:60])
    until(lambda: held() != "", 60)
    before = held()
    note("it opens a position", before, before)
    commit = sh("git -C /src/tickd rev-parse --short HEAD")
    works("it is upgraded", "bash /steps/upgrade.sh")
    after = sh("git -C /src/tickd rev-parse --short HEAD")
    note("that is another version", commit != after, f"{commit} to {after}")
    (installed,) = Path("/opt/tickd/lib").glob("python3*/site-packages/daemon")
    here, there = files_of(str(installed)), files_of("/src/tickd/daemon")
    note("what is installed is the new one", here == there, sorted({*here} ^ {*there})[:5] or "")
    note("the position is open still", until(lambda: held() == before, 30), held())
    note("it says so", "signal_restored" in sh("journalctl --no-pager --unit tickd"))
    works("one can go back", f"{AGAIN} | sed 's/^git pull/git checkout --quiet {commit}/' | bash")
    note("and keeps the position", until(lambda: held() == before, 30), held())
    works("and come again", f"{AGAIN} | sed 's/^git pull/git checkout --quiet main/' | bash")
    note("and keeps it still", until(lambda: held() == before, 30), held())
    return before


def start() -> None:
    works("tickd check is content, also with Telegram", "tickd check")
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


def keep(before: str) -> None:
    Path("/var/backups").mkdir(exist_ok=True)
    works("a snapshot can be taken while it runs", "bash /steps/snapshot.sh")
    works("a backup can be made", "bash /steps/backup.sh")
    works("it is restored and goes on", "bash /steps/restore.sh")
    note("with the position that was open", until(lambda: held() == before, 30), held())
    sh("systemctl stop tickd; rm -r /var/lib/private/tickd /var/lib/tickd")
    sh("cp -a /var/backups/tickd-state /var/lib/tickd; chown -R root: /var/lib/tickd")
    works("so is a snapshot, on a machine that had none", "systemctl start tickd")
    note("and there the position is, too", until(lambda: held() == before, 30), held())
    works("and all its files can be trusted", "tickd state verify && tickd journal verify")


def main() -> None:
    bot = subprocess.Popen(BOT.split(), env={**os.environ, "PYTHONPATH": "/tree"})
    try:
        before = upgrade()
        start()
        command()
        keep(before)
    except Exception:  # noqa: BLE001 - whatever went wrong is a finding
        note("all steps could be carried out", False, traceback.format_exc()[-800:])
    finally:
        bot.kill()


try:
    main()
finally:
    subprocess.run(["systemctl", "poweroff", "--no-block"], check=False)
