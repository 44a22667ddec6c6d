"""A command on a pseudo-terminal, as a person has it."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.child import ROOT, tethered

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # of colours and of the cursor
_LINES = 50
# What a runner of tests says of its own size would count for more than the terminal's.
_SIZE = ("COLUMNS", "LINES")


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _take_terminal() -> None:
    """Be who Ctrl-C is for, with the processes that it starts."""
    heed_interrupts()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """Entering starts the command; leaving kills it if it has not ended.

    `patience`: the seconds that anything is waited for.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int,
        env: Mapping[str, str] | None = None,
        patience: float = 90,
        folder: Path = ROOT,
    ) -> None:
        self._command, self._columns, self._patience = command, columns, patience
        self._folder = folder
        self._env = os.environ if env is None else env
        self._written = b""

    async def __aenter__(self) -> Self:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, self._columns, 0, 0))
        inherited = {name: value for name, value in self._env.items() if name not in _SIZE}
        self._process = await asyncio.create_subprocess_exec(
            *tethered(self._command),
            cwd=self._folder,
            env={**inherited, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # As in a terminal, also where the tests run in the background of a shell: there an
            # interrupt is ignored, and children inherit that.
            preexec_fn=_take_terminal,
            start_new_session=True,
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

    @property
    def seen(self) -> str:
        """All that was written so far, without colours and movements of the cursor."""
        text = CODES.sub("", self._written.decode(errors="replace"))
        return text.replace("\r\n", "\n")

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait until the terminal has shown something."""
        async with asyncio.timeout(self._patience):
            while not (found := re.search(pattern, self._read())):
                assert self._process.returncode is None, f"it ended: {self.seen}"
                await asyncio.sleep(0.05)
        return found

    def types(self, text: str) -> None:
        os.write(self._own, text.encode())

    def presses_ctrl_c(self) -> None:
        self.types("\x03")

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        async with asyncio.timeout(self._patience):
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
                self._written += chunk
        return self.seen
