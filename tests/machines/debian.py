"""A bare Debian in a folder, with tickd installed as a person would: for real systemd, real images.

Needs root. What takes long is made once and kept under `.cache/`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.doc_stage import blocks_of

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "machines"
SUITE = "bookworm"
PYTHON = (3, 11)
"""What that release of Debian brings."""


class MissingError(Exception):
    """This machine cannot run the check; the text says why."""


def need(packages: dict[str, str]) -> None:
    """Install the Debian packages of missing programs, given as program: package."""
    if os.geteuid() != 0:
        raise MissingError("needs root")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = sorted(
        {package for program, package in packages.items() if not shutil.which(program)}
    )
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise MissingError(f"needs {', '.join(missing)}, and there is no apt-get")
    say(f"installing {', '.join(missing)}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-qq", "update"])
    run(
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *missing],
        environ=environ,
    )


def base_root(name: str, packages: Sequence[str]) -> Path:
    """Return a folder with a bare Debian and `packages`, made by debootstrap at the first call."""
    root = CACHE / name
    ready = CACHE / f"{name}.ready"
    wanted = " ".join(sorted(packages))
    if ready.is_file() and ready.read_text() == wanted:
        return root
    say(f"making a Debian {SUITE} in {root} (once; a minute or two)")
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE]
    run([*command, str(root)])
    for archive in (root / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    ready.write_text(wanted)
    return root


def install_tickd(root: Path) -> None:
    """Put the locked libraries and this tree's tickd into /opt/tickd of `root`.

    pip runs outside: what it needs to reach a package index is this machine's business.
    """
    if sys.version_info[:2] != PYTHON:
        raise MissingError(f"needs Python {PYTHON[0]}.{PYTHON[1]}, as Debian {SUITE} has it")
    prefix = root / "opt/tickd"
    lock = ROOT / "requirements.lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = prefix / ".lock"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    pip += ["--no-warn-script-location", "--no-compile", "--ignore-installed"]
    pip += ["--prefix", str(prefix)]
    if not stamp.is_file() or stamp.read_text() != digest:
        say("installing the locked libraries into it (once per lock)")
        shutil.rmtree(prefix, ignore_errors=True)
        run(["chroot", str(root), "python3", "-m", "venv", "--without-pip", "/opt/tickd"])
        run([*pip, "--require-hashes", "-r", str(lock)])
        stamp.write_text(digest)
    with tempfile.TemporaryDirectory() as folder:
        # A build leaves its traces where it runs, so not in the tree.
        source = Path(folder)
        shutil.copytree(ROOT / "daemon", source / "daemon")
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        shutil.rmtree(prefix / "lib/python3.11/site-packages/daemon", ignore_errors=True)
        run([*pip, "--no-deps", "--no-index", "--no-build-isolation", str(source)])
    script = prefix / "bin/tickd"
    body = script.read_text().split("\n", 1)[1]
    script.write_text(f"#!/opt/tickd/bin/python3\n{body}")
    # Byte code of what a run imports, as an installation has it: a service cannot write its own.
    once = (
        "TICKD__HTTP__PORT=0 TICKD__DAEMON__STATE_DIR=/tmp/once /opt/tickd/bin/tickd run --for 1s"
    )
    run(["chroot", str(root), "sh", "-c", f"cd /tmp && {once} && rm -r once"])


def run(
    command: Sequence[str],
    *,
    environ: dict[str, str] | None = None,
    timeout_s: float = 900,
) -> str:
    """Run a command and return its output; if it fails, show what it said, and end."""
    ended = subprocess.run(
        command,
        env=environ,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if ended.returncode != 0:
        print((ended.stdout + ended.stderr)[-4000:], file=sys.stderr)
        raise SystemExit(f"{' '.join(command[:4])} ... failed with {ended.returncode}")
    return ended.stdout


def steps_of(page: str, phrase: str) -> list[str]:
    """Return the lines of the one block of a page that holds a phrase."""
    (block,) = [one for one in blocks_of(ROOT / "docs" / page) if phrase in one.text]
    # What stands beside a command, after a gap, is for the reader.
    return [line.split("        ")[0] for line in block.text.splitlines()]


def say(text: str) -> None:
    """Say what takes so long."""
    print(f"  {text}", flush=True)
