"""The commit that is tested: what a run samples changes with it, and with nothing else."""

import subprocess
from collections.abc import Iterable

from infra.local.child import ROOT

_PARTS = 4


def commit_number() -> int:
    """Return a number that follows from the commit's hash; 0 where there is no git."""
    try:
        asked = ["git", "rev-parse", "--short=8", "HEAD"]
        told = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(told[:8], 16)


def quarter(names: Iterable[str], commit: int) -> set[str]:
    """Return those that a commit takes. They are dealt out: four remainders take each name once."""
    return set(sorted(set(names))[commit % _PARTS :: _PARTS])
