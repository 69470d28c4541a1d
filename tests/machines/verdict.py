"""What systemd says of a unit without running it: faults, and how exposed it is."""

import re
import subprocess
import tempfile
from pathlib import Path


def verify_unit(unit: Path, program: Path) -> str:
    """Return what `systemd-analyze verify` says, with the program where this machine has it.

    It ends with 0 also where it only warns, so whatever it says counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Units that are named in this one are looked for beside it.
        for other in unit.parent.glob("*.service"):
            text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={program}", other.read_text())
            (Path(folder) / other.name).write_text(text)
        told = subprocess.run(
            ["systemd-analyze", "verify", str(Path(folder) / unit.name)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    return (told.stdout + told.stderr).strip()


def exposure_of(unit: Path) -> float:
    """Return the exposure that `systemd-analyze security` works out: 0 (safe) to 10."""
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", told)
    assert found is not None, told
    return float(found[1])
