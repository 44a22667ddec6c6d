"""The local stack as tests use it: started by its command, killed and restarted part by part."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from infra.local.child import ROOT, tethered
from tests.authority import TRUST

# `make package-test` names the packaged app here; without it, the sources are run.
APP = Path(os.environ.get("CONNORG_TESTED_APP", ROOT))
# For machines under load. Nothing waits that long unless something is broken.
START_SECONDS = 150
END_SECONDS = 60


class Stack:
    """`python -m infra.local up`, started when it is entered (or by `start`).

    The parts that are not in `only` are found by their ports, as the command does.
    """

    def __init__(
        self,
        only: Collection[str] = (),
        settings: Mapping[str, str] | None = None,
        ports: Mapping[str, int] | None = None,
        data: Path | None = None,
        app: Path = APP,
    ) -> None:
        self._only = only
        self._settings = self._first_settings = settings or {}
        self._ports = ports or {}
        self._data = data
        self._app = app
        self._folder = tempfile.TemporaryDirectory(prefix="stack-")
        self._commands: list[subprocess.Popen[bytes]] = []
        self._described: dict[str, Any] = {}
        self.pids: dict[str, int] = {}

    @property
    def functions(self) -> str:
        return str(self._described["functions"])

    @property
    def console(self) -> str:
        return str(self._described["console"])

    @property
    def key(self) -> str:
        return str(self._described["key"])

    @property
    def graph(self) -> str:
        return str(self._described["graph"])

    @property
    def identity(self) -> str:
        return str(self._described["identity"])

    @property
    def storage(self) -> str:
        """The connection string."""
        return str(self._described["storage"])

    @property
    def log(self) -> str:
        """What all parts wrote to standard error so far."""
        return self._log.read_text(errors="replace")

    def start(self) -> Self:
        self._up(self._only, self._ports)
        return self

    def kill(self, part: str) -> None:
        """SIGKILL, and wait until nothing of the process is left: its port is free again."""
        self._note_pids()
        os.kill(self.pids[part], signal.SIGKILL)
        wait_until(lambda: not is_running(self.pids[part]), f"{part} is still there")

    def restart(self, part: str, settings: Mapping[str, str] | None = None) -> None:
        """Start a killed part again, on its port, with the settings of the stack and these."""
        self._settings = {**self._settings, **(settings or {})}
        self._up([part], self._known_ports())

    def set_functions(self, settings: Mapping[str, str]) -> None:
        """Let them have the settings of the start and these: with others they are restarted."""
        wanted = {**self._first_settings, **settings}
        if wanted != self._settings:
            self.kill("functions")
            self._settings = wanted
            self.restart("functions")

    def stop(self) -> None:
        while self._commands:
            command = self._commands.pop()
            command.terminate()
            command.wait(END_SECONDS)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _note_pids(self) -> None:
        """A part that storage has refused is another process by now."""
        for number in range(len(self._commands)):
            ready = Path(self._folder.name) / f"ready-{number}.json"
            self.pids.update(json.loads(ready.read_text())["pids"])

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    def _up(self, only: Collection[str], ports: Mapping[str, int]) -> None:
        ready = Path(self._folder.name) / f"ready-{len(self._commands)}.json"
        arguments = [
            *(f"--only={part}" for part in only),
            *(f"--{part}-port={port}" for part, port in ports.items()),
            *(f"--setting={key}={value}" for key, value in self._settings.items()),
            *([f"--data={self._data}"] if self._data else []),
            f"--app={self._app}",
            f"--ready={ready}",
        ]
        with self._log.open("ab") as log:
            command = start_command(*arguments, output=log.fileno())
        self._commands.append(command)
        try:
            wait_until(lambda: ready.exists() or command.poll() is not None, "it is not ready")
            described = json.loads(ready.read_text())
        except Exception as failure:
            log_text = self.log
            self.stop()
            raise RuntimeError(f"the stack did not start:\n{log_text}") from failure
        self.pids.update(described.pop("pids"))
        self._described.update(described)

    def _known_ports(self) -> dict[str, int]:
        urls = {part: self._described.get(part) for part in ("functions", "graph", "identity")}
        return {
            **{part: port_of(url) for part, url in urls.items() if url},
            **({"storage": blob_port(self.storage)} if "storage" in self._described else {}),
        }


def start_command(*arguments: str, output: int | None = None) -> subprocess.Popen[bytes]:
    """The command itself, for tests of its behaviour; it ends with the test run at the latest."""
    return subprocess.Popen(
        tethered([sys.executable, "-m", "infra.local", "up", *arguments]),
        cwd=ROOT,
        env={**os.environ, **TRUST},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    )


def is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        # An orphan that has ended stays as a zombie where nobody collects it (containers).
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):  # it went meanwhile
        return False


def wait_until(
    condition: Callable[[], bool], otherwise: str, seconds: float = START_SECONDS
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} after {seconds} s")
        time.sleep(0.02)


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


def blob_port(connection_string: str) -> int:
    parts = dict(part.partition("=")[::2] for part in connection_string.split(";") if part)
    return port_of(parts["BlobEndpoint"])
