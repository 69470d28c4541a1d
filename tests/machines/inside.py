"""Runs on the machine that was booted: starts tickd as a service and looks at all that is promised.

Standard library alone, by the machine's own Python. Each finding is a line of JSON in
`/results/findings.jsonl`; then the machine is switched off.
"""

import http.server
import json
import pwd
import subprocess
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

STATE = Path("/var/lib/tickd")
CANARY = "canary-3f9c1d2e7b"
HOOKS: list[dict[str, Any]] = []


def note(what: str, is_good: bool, seen: object = "") -> None:
    with Path("/results/findings.jsonl").open("a") as file:
        file.write(json.dumps({"what": what, "good": bool(is_good), "seen": str(seen)}) + "\n")


def sh(command: str, timeout_s: float = 120) -> str:
    ended = subprocess.run(
        command, shell=True, stdout=-1, stderr=-2, text=True, timeout=timeout_s, check=False
    )
    return ended.stdout.strip()


def show(unit: str, *names: str) -> list[str]:
    return [sh(f"systemctl show {unit} --property={name} --value") for name in names]


def until(is_so: Callable[[], bool], timeout_s: float) -> bool:
    end_s = time.perf_counter() + timeout_s
    while time.perf_counter() < end_s:
        if is_so():
            return True
        time.sleep(0.2)
    return False


def page(path: str, port: int = 8420) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def signals(port: int = 8420) -> list[str]:
    return sorted(task["signal_id"] for task in json.loads(page("/status", port))["tasks"])


def has_signals() -> bool:
    return all(signals())


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        HOOKS.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def failures_told() -> list[dict[str, Any]]:
    return [hook for hook in HOOKS if hook["fields"].get("where") == "service"]


def set_options(unit: str, *lines: str) -> None:
    folder = Path(f"/etc/systemd/system/{unit}.d")
    folder.mkdir(parents=True, exist_ok=True)
    section = "[Unit]\n" + "\n".join(line for line in lines if line.startswith("Start"))
    rest = "\n".join(line for line in lines if not line.startswith("Start"))
    (folder / "check.conf").write_text(f"{section}\n[Service]\n{rest}\n")
    sh("systemctl daemon-reload")


def start_and_look() -> None:
    begun_s = time.perf_counter()
    told = sh("systemctl start tickd")
    active, status, pid_text = show("tickd", "ActiveState", "StatusText", "MainPID")
    seconds = time.perf_counter() - begun_s
    note("systemctl start waits until it is ready", active == "active", f"{seconds:.1f} s {told}")
    note("/readyz answers 200 when systemctl start returns", '"ready":true' in page("/readyz"))
    until(lambda: "2 of 2 tasks ready" in show("tickd", "StatusText")[0], 10)
    status = show("tickd", "StatusText")[0]
    note("the status is one true line", "2 of 2 tasks ready on sandbox" in status, status)
    process = Path("/proc") / pid_text
    uid = process.stat().st_uid
    note("it runs as a user of systemd's making", 61184 <= uid <= 65519, uid)
    mode = oct((STATE / "").stat().st_mode & 0o777)
    note("its state is for it alone", mode == "0o700", mode)
    owner = (process / "environ").stat().st_uid
    note("its memory is nobody else's (not dumpable)", owner == 0, f"owner {owner}")
    limit = [line for line in (process / "limits").read_text().splitlines() if "core" in line]
    note("no core file may be written", limit[0].split()[4:6] == ["0", "0"], limit[0])
    note("process metrics are there", "process_resident_memory_bytes" in page("/metrics"))


def look_at_hardening() -> None:
    told = json.loads((STATE / "attempts.json").read_text())
    for name, refusal in told["forbidden"].items():
        note(f"refused: {name}", refusal, refusal or "it was allowed")
    for name, refusal in told["allowed"].items():
        note(f"allowed: {name}", not refusal, refusal)
    given = told["children are given"]
    note("no child may speak for the daemon", given == "[]", given)


def look_at_secrets() -> None:
    pid = show("tickd", "MainPID")[0]
    shown = sh("journalctl --no-pager") + page("/status") + page("/metrics") + page("/readyz")
    shown += Path(f"/proc/{pid}/environ").read_text() + Path(f"/proc/{pid}/cmdline").read_text()
    shown += sh(f"grep -r {CANARY} {STATE}/ /tmp /run/systemd/units 2>/dev/null")
    note("the secret was read", sh("ls /run/credentials/tickd.service").count("tickd.") >= 2)
    note("the secret shows nowhere", CANARY not in shown)


def hang_and_recover() -> None:
    note("positions were opened", until(has_signals, 30))
    before = signals()
    restarts = int(show("tickd", "NRestarts")[0])
    (STATE / "hang").touch()
    begun_s = time.perf_counter()
    hung = until(lambda: int(show("tickd", "NRestarts")[0]) > restarts, 60)
    seconds = time.perf_counter() - begun_s
    (STATE / "hang").unlink()
    log = sh("journalctl --no-pager --unit tickd")
    note("a hung daemon is killed by the watchdog", hung and "Watchdog timeout" in log)
    note("it took", hung and seconds < 30, f"{seconds:.1f} s with WatchdogSec=3")
    note("its log says where it hung", "probe.py" in log and "Current thread" in log)
    back = until(lambda: show("tickd", "ActiveState")[0] == "active", 30)
    note("it is started again and ready", back, show("tickd", "StatusText")[0])
    note("its positions are recovered", until(lambda: signals() == before, 10), before)
    cores = sh(
        "find /var/lib/systemd/coredump /var/lib/tickd/ / -xdev -maxdepth 1 -type f -name 'core*'"
    )
    note("no core file is left", not cores.strip(), cores)


def kill_and_recover() -> None:
    before = signals()
    restarts = int(show("tickd", "NRestarts")[0])
    sh("systemctl kill --signal=KILL tickd")
    back = until(
        lambda: (
            int(show("tickd", "NRestarts")[0]) > restarts
            and show("tickd", "ActiveState")[0] == "active"
        ),
        40,
    )
    note("after kill -9 it is back", back)
    note("its positions are recovered after kill -9", until(lambda: signals() == before, 10))


def reload_well() -> None:
    config = Path("/etc/tickd/config.toml")
    text, pid = config.read_text(), show("tickd", "MainPID")[0]
    config.write_text(text.replace('"BTC/USDT", "ETH/USDT"', '"BTC/USDT", "ETH/USDT", "SOL/USDT"'))
    sh("systemctl reload tickd")
    grown = until(lambda: "of 3 tasks ready" in show("tickd", "StatusText")[0], 15)
    note("systemctl reload adds a task", grown, show("tickd", "StatusText")[0])
    config.write_text(text + "nonsense = 1\n")
    sh("systemctl reload tickd")
    until(lambda: "ready on sandbox" in show("tickd", "StatusText")[0], 15)
    active, same = show("tickd", "ActiveState", "MainPID")
    note("a wrong file changes nothing", (active, same) == ("active", pid), active)
    config.write_text(text)


def eat_memory() -> None:
    """As far as this machine's control groups go: where they count no memory there is no limit."""
    if show("tickd", "MemoryCurrent")[0] in {"[not set]", ""}:
        note("memory is counted here", True, "no: the limit is not tried")
        return
    before = signals()
    restarts = int(show("tickd", "NRestarts")[0])
    (STATE / "eat").touch()
    killed = until(lambda: int(show("tickd", "NRestarts")[0]) > restarts, 60)
    (STATE / "eat").unlink()
    note("a daemon that eats all memory is killed alone", killed)
    until(lambda: show("tickd", "ActiveState")[0] == "active", 30)
    note("its positions are recovered after that", until(lambda: signals() == before, 10))


def stop_well() -> None:
    begun_s = time.perf_counter()
    sh("systemctl stop tickd")
    seconds = time.perf_counter() - begun_s
    result, active = show("tickd", "Result", "ActiveState")
    note("systemctl stop is graceful", (result, active) == ("success", "inactive"), result)
    note("and quick", seconds < 30, f"{seconds:.1f} s")


def crash_loop() -> None:
    (STATE / "die").touch()
    told_before = len(failures_told())
    sh("systemctl start tickd")
    given_up = until(lambda: show("tickd", "ActiveState")[0] == "failed", 90)
    restarts = show("tickd", "NRestarts")[0]
    repeated = "repeated too quickly" in sh("journalctl --no-pager --unit tickd")
    note("a crash loop ends", given_up and repeated, f"after {restarts} restarts")
    until(lambda: len(failures_told()) > told_before, 30)
    time.sleep(3)
    told = failures_told()[told_before:]
    note("one message says so, not five hundred", len(told) == 1, told)
    alerts = sh("journalctl --no-pager --priority alert --unit tickd-failed")
    note("and the log has it with the highest priority", "not started again" in alerts, alerts)
    (STATE / "die").unlink()
    sh("systemctl reset-failed tickd tickd-failed")


def wrong_configuration() -> None:
    config = Path("/etc/tickd/config.toml")
    text = config.read_text()
    config.write_text(text + "\nnonsense = 1\n")
    restarts = show("tickd", "NRestarts")[0]
    sh("systemctl start tickd")
    until(lambda: show("tickd", "ActiveState")[0] == "failed", 20)
    state, code, again = show("tickd", "ActiveState", "ExecMainStatus", "NRestarts")
    note(
        "a wrong configuration is not tried again",
        (state, code, again) == ("failed", "78", restarts),
        f"{state} {code} {again}",
    )
    config.write_text(text)
    sh("systemctl reset-failed tickd tickd-failed")


def two_instances() -> None:
    text = Path("/etc/tickd/config.toml").read_text()
    for name, port in (("one", 8501), ("two", 8502)):
        Path(f"/etc/tickd/{name}.toml").write_text(f"{text}\n[http]\nport = {port}\n")
    sh("systemctl start tickd@one tickd@two")
    active = [show(f"tickd@{name}", "ActiveState")[0] for name in ("one", "two")]
    note("two instances run side by side", active == ["active", "active"], active)
    folders = [Path(f"/var/lib/tickd-{name}/sandbox-signal").is_dir() for name in ("one", "two")]
    note("each with its own state", all(folders) and signals(8501) is not None)
    sh("systemctl stop tickd@one tickd@two")


def in_a_home() -> None:
    """The unit that `tickd install-service` writes for a user who keeps everything at home."""
    sh("useradd --create-home you; install -d -o you -m 700 /home/you/bot; touch /home/you/private")
    sh("cp /etc/tickd/config.toml /etc/tickd/probe.py /home/you/bot; chown you: /home/you/bot/*")
    told = sh("/opt/tickd/bin/tickd install-service --name home --config /home/you/bot/config.toml")
    note("tickd install-service says what it did", "as you" in told and "wrote" in told, told)
    quiet = sh("systemd-analyze verify /etc/systemd/system/home.service")
    note("systemd finds nothing wrong with it", not quiet, quiet)
    sh("systemctl daemon-reload; systemctl start home")
    active, pid = show("home", "ActiveState", "MainPID")
    note("it runs", active == "active", sh("journalctl --no-pager -n 5 --unit home"))
    owner = pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name if pid != "0" else ""
    note("as the owner of the configuration", owner == "you", owner)
    seen = sh(f"ls -A /proc/{pid}/root/home/you /proc/{pid}/root/home")
    note("and sees nothing else of the home", "private" not in seen and "bot" in seen, seen)
    note("its state is beside it", Path("/home/you/bot/dump/sandbox-signal").is_dir())
    sh("systemctl stop home")


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 9099), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    set_options("tickd.service", "WatchdogSec=3", "RestartSec=1")
    steps = (
        start_and_look,
        look_at_hardening,
        look_at_secrets,
        hang_and_recover,
        kill_and_recover,
        eat_memory,
        reload_well,
        stop_well,
        crash_loop,
        wrong_configuration,
        two_instances,
        in_a_home,
    )
    for step in steps:
        try:
            step()
        except Exception:  # noqa: BLE001 - whatever went wrong is a finding
            note(f"{step.__name__} could be carried out", False, traceback.format_exc()[-800:])
    log = sh("journalctl --no-pager -o short-precise --unit 'tickd*' --unit home")
    Path("/results/journal.txt").write_text(log)


try:
    main()
finally:
    subprocess.run(["systemctl", "poweroff", "--no-block"], check=False)
