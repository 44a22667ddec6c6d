"""`python -m connorg.command` as a person runs it: a process, with or without a terminal."""

import asyncio
import os
import pty
import re
import runpy
import signal
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from types import TracebackType
from typing import Self

import pytest

from infra.local.child import ROOT

PATIENCE_SECONDS = 90  # nothing waits that long unless something is broken
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # of colours and of the cursor
_WIDE = {"COLUMNS": "200"}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def run(*arguments: object, env: Mapping[str, str] | None = None) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_command(arguments),
        cwd=ROOT,
        env=_environment(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    ended = Ended(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended


def run_here(*arguments: object, env: Mapping[str, str]) -> Ended:
    """The same without a process of its own, which takes longer than all that ends at once."""
    with pytest.MonkeyPatch.context() as patch, StringIO() as out, StringIO() as err:
        patch.setattr(sys, "argv", [sys.argv[0], *map(str, arguments)])
        for name, value in {**_WIDE, **env}.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            runpy.run_module("connorg.command", run_name="__main__")
        return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())


class Terminal:
    """The command at a pseudo-terminal. `seen` is all that it wrote there so far."""

    def __init__(self, *arguments: object, env: Mapping[str, str] | None = None) -> None:
        self._arguments, self._env = arguments, env
        self.seen = ""

    async def __aenter__(self) -> Self:
        self._own, theirs = pty.openpty()
        self._process = await asyncio.create_subprocess_exec(
            *_command(self._arguments),
            cwd=ROOT,
            env=_environment({**(self._env or {}), "TERM": "xterm-256color"}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # As in a terminal, also where the tests run in the background of a shell: there an
            # interrupt is ignored, and children inherit that.
            preexec_fn=_heed_interrupts,
        )
        os.close(theirs)
        os.set_blocking(self._own, False)
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        os.close(self._own)

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait until the terminal has shown something."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := re.search(pattern, self._read())):
                assert self._process.returncode is None, f"it ended: {self.seen}"
                await asyncio.sleep(0.05)
        return found

    async def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # A terminal that nobody reads is full some time, and then the command would wait too.
            while self._process.returncode is None:
                self._read()
                await asyncio.sleep(0.05)
        code = self._process.returncode
        self._read()
        assert "Traceback" not in self.seen, self.seen
        return code

    def _read(self) -> str:
        with suppress(OSError):  # nothing more now, or ever
            while chunk := os.read(self._own, 65536):
                self.seen += _CODES.sub("", chunk.decode(errors="replace"))
        return self.seen


def _command(arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "connorg.command", *map(str, arguments)]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **_WIDE, **(more or {})}
