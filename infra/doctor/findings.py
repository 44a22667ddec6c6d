"""What the doctor finds."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; the app works."""
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    check: str
    level: Level
    detail: str = ""
    mend: str = ""
    """What to do, with a command where there is one."""

    def as_json(self) -> dict[str, str]:
        return {name: text for name, text in asdict(self).items() if text}


def ok(check: str, detail: str = "") -> Finding:
    return Finding(check, Level.OK, detail)


def note(check: str, detail: str, mend: str = "") -> Finding:
    return Finding(check, Level.NOTE, detail, mend)


def fault(check: str, detail: str, mend: str) -> Finding:
    return Finding(check, Level.FAULT, detail, mend)
