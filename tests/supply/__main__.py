"""`make audit`: known faults in what the locks name.

Ends with 1 where there is one, and where nobody could look.
"""

import os
import sys
from pathlib import Path

from tests.supply.audit import audit

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Audit every lock, print one line for each and one for each fault; return the exit code."""
    code = 0
    for lock in sorted(ROOT.glob("requirements*.lock")):
        verdict = audit(lock, os.environ)
        outcome = "FAILED" if verdict.faults else "no known fault"
        print(f"{lock.name}: {verdict.looked_at} packages looked at, {outcome}")
        for fault in verdict.faults:
            print(f"  {fault}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
