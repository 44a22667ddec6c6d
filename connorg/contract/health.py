"""What GET health answers."""

from typing import Literal

from connorg.contract.model import Model

HealthStatus = Literal["healthy", "degraded", "unhealthy"]


class Check(Model):
    name: str
    status: str
    detail: str | None = None
    action: str | None = None


class Health(Model):
    version: str
    """Of connorg itself, as CHANGELOG.md has it."""
    status: HealthStatus
    checks: tuple[Check, ...]
