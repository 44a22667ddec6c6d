"""What GET health answers."""

from typing import Literal

from connorg.contract.model import Model


class Check(Model):
    name: str
    status: str
    detail: str | None = None
    action: str | None = None


class Health(Model):
    version: str
    """Of connorg itself, as CHANGELOG.md has it."""
    status: Literal["healthy", "degraded", "unhealthy"]
    checks: tuple[Check, ...]
