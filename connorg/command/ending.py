"""How the command ends."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    SUCCEEDED = 0
    FAILED = 1
    """Some rows failed, or were cancelled."""
    FAULTY = 2
    """The command is wrong, or the file; nothing was started."""
    REFUSED = 3
    """The app can't be reached, or does not take the call."""
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command: its text says what is wrong, `action` what to do about it."""

    def __init__(
        self,
        detail: str,
        action: str = "",
        code: ExitCode = ExitCode.REFUSED,
        faults: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.action = action
        self.code = code
        self.faults = faults
