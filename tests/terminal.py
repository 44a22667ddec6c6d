"""A command on a pseudo-terminal, as a person has it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from infra.local.child import ROOT, tethered

_LINES = 50
_SIZE = ("COLUMNS", "LINES")
_PATIENCE = 150  # seconds; nothing waits that long unless something is broken
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Entering starts the command; leaving kills it if it has not ended."""

    def __init__(self, command: Sequence[str], columns: int = 80) -> None:
        self._screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, columns, 0, 0))
        # What a runner of tests says of its own size would count for more than the terminal's.
        inherited = {name: value for name, value in os.environ.items() if name not in _SIZE}
        self._process = subprocess.Popen(
            tethered(command),
            cwd=ROOT,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**inherited, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(terminal)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._screen)

    @property
    def text(self) -> str:
        """What was written so far, without colours and movements of the cursor."""
        return _CONTROLS.sub("", self._read.decode(errors="replace")).replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def shows(self, words: str) -> str:
        """Wait until the words are on the screen. Return all that is."""
        self._wait(lambda: words in self.text, f"never says {words!r}")
        return self.text

    def interrupt(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end. Return the exit code."""
        self._wait(lambda: self._process.poll() is not None, "does not end")
        while self._more(10):  # until the other side is closed
            pass
        return self._process.returncode

    def _wait(self, holds: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not holds():
            self._more(0.2)
            assert time.monotonic() < deadline, f"{otherwise}: {self.text}"

    def _more(self, seconds: float) -> bool:
        if not select.select([self._screen], [], [], seconds)[0]:
            return False
        try:
            read = os.read(self._screen, 65536)
        except OSError:  # the other side is closed
            return False
        self._read += read
        return bool(read)
