"""Where an onboarding lives: one partition for each identity source, the id carries it."""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from random import Random
from typing import Annotated

from pydantic import ConfigDict, Field

from connorg.contract.model import Model

_PARTITION_DIGITS = 24
_END_OF_TIME = 1 << 48  # milliseconds since 1970; ids count down to it, so that newest sorts first
ONBOARDING_ID = r"^[0-9a-f]{24}-[0-9a-f]{32}$"
BATCH_ID = r"^batch-[0-9a-f]{32}$"


def partition_of(natural_key: str) -> str:
    """Hash a natural key: domain names hold characters that table keys can't, and are personal."""
    return hashlib.sha256(natural_key.encode()).hexdigest()[:_PARTITION_DIGITS]


def new_onboarding_id(natural_key: str, now: datetime, random: Random) -> str:
    """Make an id that sorts newest first within its partition and can't be guessed (80 bits)."""
    return f"{partition_of(natural_key)}-{countdown(now)}{random.getrandbits(80):020x}"


def new_result_key() -> str:
    """Make the key of a result address (128 bits).

    From the system's own source: what opens an address must not follow from a seed.
    """
    return secrets.token_urlsafe(16)


def countdown(moment: datetime) -> str:
    """Return how the row of an id begins that is made at a moment; earlier ones sort after it."""
    return f"{_END_OF_TIME - int(moment.timestamp() * 1000):012x}"


def made_at(onboarding_id: str) -> datetime:
    """Return when an id was made."""
    _, row = split_id(onboarding_id)
    return datetime.fromtimestamp((_END_OF_TIME - int(row[:12], 16)) / 1000, UTC)


def new_batch_id(now: datetime, random: Random) -> str:
    """Make an id that can't be guessed (80 bits)."""
    return f"batch-{countdown(now)}{random.getrandbits(80):020x}"


def new_replay(now: datetime, random: Random) -> str:
    """Return a name for a replay. Names sort by time: an older one is stale."""
    return f"{int(now.timestamp() * 1000):012x}{random.getrandbits(32):08x}"


def row_onboarding_id(batch_id: str, row: int, natural_key: str) -> str:
    """Return the onboarding id of a row. It is the same however often the row is sent."""
    made = batch_id.removeprefix("batch-")[:12]
    digest = hashlib.sha256(f"{batch_id}\0{row}".encode()).hexdigest()
    return f"{partition_of(natural_key)}-{made}{digest[:20]}"


def is_batch_id(text: str) -> bool:
    return re.fullmatch(BATCH_ID, text) is not None


def is_onboarding_id(text: str) -> bool:
    return re.fullmatch(ONBOARDING_ID, text) is not None


def split_id(onboarding_id: str) -> tuple[str, str]:
    """Return the partition and the row of an id."""
    partition, _, row = onboarding_id.partition("-")
    return partition, row


class RowRef(Model):
    model_config = ConfigDict(extra="ignore")

    batch: Annotated[str, Field(pattern=BATCH_ID)]
    row: int
