"""How the command ends."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    DONE = 0
    FAULT = 1
    LEFT = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "done, or nothing to do",
    ExitCode.FAULT: "a fault: in the command, the file or the key; nothing was started",
    ExitCode.LEFT: "something failed, or is left to do",
    ExitCode.UNREACHABLE: "the app is not reachable, or can't answer now",
    ExitCode.INTERRUPTED: "interrupted; the app continues with what it has accepted",
}


class CommandError(Exception):
    """Ends the command: its text says what is wrong, `action` what to do about it."""

    def __init__(
        self,
        detail: str,
        action: str = "",
        code: ExitCode = ExitCode.FAULT,
        problem: dict[str, Any] | None = None,
        command: str = "",
    ) -> None:
        super().__init__(detail)
        self.action = action
        self.command = command
        """What does it, as it can be pasted."""
        self.code = code
        self.problem = problem or {}
        """The app's own, where it answered with one."""

    @property
    def faults(self) -> Sequence[dict[str, Any]]:
        """Every fault of the file."""
        return self.problem.get("errors") or ()


class Ended(Exception):  # noqa: N818  no error
    """Ends the process with an exit code."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code
