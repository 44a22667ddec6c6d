"""The interpreter of the functions: this environment's, or one that has a packaged app alone.

On Azure the worker is kept apart from the app, which brings all that it imports. So the functions
of a packaged app run where nothing is installed (`-S`): on the path are what the package brings and
Microsoft's worker library. The front of the host has to make do with the package's aiohttp.
"""

import fcntl
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local.child import ROOT

SITE_PACKAGES = Path(".python_packages/lib/site-packages")
WORKER = ROOT / ".local/worker"
WORKER_PACKAGES = ("azure_functions_runtime", "azurefunctions")


def interpreter(app: Path) -> tuple[list[str], Mapping[str, str]]:
    """The command that is Python for this app, and the environment variables it needs."""
    site_packages = app / SITE_PACKAGES
    if not site_packages.exists():
        return [sys.executable], {}
    _link_worker()
    path = os.pathsep.join(map(str, (site_packages, WORKER)))
    return [sys.executable, "-S", "-s"], {"PYTHONPATH": path}


def _link_worker() -> None:
    """Make a folder that shows the worker library, and nothing of what is installed beside it."""
    WORKER.mkdir(parents=True, exist_ok=True)
    with (WORKER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the stacks of several test processes start at once
        for name in WORKER_PACKAGES:
            link, folder = WORKER / name, _folder_of(name)
            if not link.is_symlink() or link.readlink() != folder:
                link.unlink(missing_ok=True)
                link.symlink_to(folder)


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if not spec or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed: run `make setup`")
    return Path(next(iter(spec.submodule_search_locations)))
