"""`connorg` as a person runs it: a process, with or without a terminal; or within this one."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from types import TracebackType
from typing import Self

import pytest

from connorg.command import commands
from infra.local.child import ROOT

PATIENCE_SECONDS = 90  # nothing waits that long unless something is broken
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # of colours and of the cursor
WIDE, NARROW = 200, 80  # columns


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    seen: str = ""
    """Both, in the order in which they were written; of a command within this process."""


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def run(
    *arguments: object, env: Mapping[str, str] | None = None, module: str = "connorg.command"
) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_command(arguments, module),
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


def run_here(*arguments: object, env: Mapping[str, str], columns: int | None = None) -> Ended:
    """The same without a process of its own, which takes longer than all that ends at once.

    As at a terminal with so many columns, or as in a pipe. It is called `connorg`.
    """
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1"} if columns else {}
    both = StringIO()
    with pytest.MonkeyPatch.context() as patch, _Copied(both) as out, _Copied(both) as err:
        patch.setattr(sys, "argv", ["connorg", *map(str, arguments)])
        patch.delenv("UV", raising=False)
        size = {"COLUMNS": str(columns or WIDE)}
        for name, value in {**size, **terminal, **env}.items():
            patch.setenv(name, value)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            commands.run()
        code = int(ended.value.code or 0)
        told = [CODES.sub("", text.getvalue()) for text in (out, err, both)]
        return Ended(code, *told)


class _Copied(StringIO):
    def __init__(self, copy: StringIO) -> None:
        super().__init__()
        self._copy = copy

    def write(self, text: str, /) -> int:
        self._copy.write(text)
        return super().write(text)


class Terminal:
    """The command at a pseudo-terminal. `seen` is all that it wrote there so far."""

    def __init__(
        self, *arguments: object, env: Mapping[str, str] | None = None, columns: int = WIDE
    ) -> None:
        self._arguments, self._env, self._columns = arguments, env or {}, columns
        self.seen = ""

    async def __aenter__(self) -> Self:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self._columns, 0, 0))
        environment = {**_environment(self._env), "TERM": "xterm-256color"}
        del environment["COLUMNS"]  # the terminal says it
        self._process = await asyncio.create_subprocess_exec(
            *_command(self._arguments),
            cwd=ROOT,
            env=environment,
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

    def types(self, text: str) -> None:
        os.write(self._own, text.encode())

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
                self.seen += CODES.sub("", chunk.decode(errors="replace"))
        return self.seen


def _command(arguments: tuple[object, ...], module: str = "connorg.command") -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "COLUMNS": str(WIDE), **(more or {})}
