"""What released versions kept, as it was recorded and as if it had been recorded a minute ago."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

RECORDED = Path(__file__).parent
VERSIONS = sorted(path.name for path in RECORDED.iterdir() if path.name.isdecimal())
_DATE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
_RECORDED_AT = {"1": datetime(2026, 11, 24, 20, 0, tzinfo=UTC)}


def rows(version: str) -> dict[str, Json]:
    """Return the rows of the ledger, by what they are."""
    return _load(RECORDED / version / "rows.json")


def messages(version: str) -> dict[str, Json]:
    return _load(RECORDED / version / "messages.json")


def brought_up_to_date(recorded: Json, version: str) -> Json:
    """Move its dates, and nothing else: its leases are over and its time is not."""
    elapsed = datetime.now(UTC) - timedelta(minutes=1) - _RECORDED_AT[version]

    def moved(date: re.Match[str]) -> str:
        return (datetime.fromisoformat(date[0]) + elapsed).isoformat().replace("+00:00", "Z")

    return dict(json.loads(_DATE.sub(moved, json.dumps(recorded))))


def _load(path: Path) -> dict[str, Json]:
    return dict(json.loads(path.read_text()))
