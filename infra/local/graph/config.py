"""How the emulated tenant behaves: ``PUT /_emulator/config``."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from infra.local.graph.wire import ControlModel

type Status = Annotated[int, Field(ge=200, le=599)]
type Seconds = Annotated[float, Field(ge=0)]

_JSON_OBJECT = TypeAdapter(dict[str, Any])


class Throttle(ControlModel):
    requests: int = Field(gt=0)
    seconds: float = Field(gt=0)


class Config(ControlModel):
    """``roles`` stands for what is granted now; None leaves it to the token. A new organization
    is not read until ``consistency_delay_seconds`` after its creation, by what the delay is when
    it is read."""

    duplicate_status: Status = 400
    unique_display_names: bool = False
    organization_limit: int = 2500
    limit_status: Status = 403
    limit_code: str = "QuotaExceeded"
    patch_status: Literal[200, 202, 204] = 204
    repeated_sponsor_status: Status = 204
    roles: list[str] | None = None
    licensed: bool = True
    consistency_delay_seconds: Seconds = 0
    latency_seconds: Seconds = 0
    throttle: Throttle | None = None

    def merged(self, changes: object) -> "Config":
        """Raises pydantic.ValidationError."""
        given = _JSON_OBJECT.validate_python(changes)
        return Config.model_validate(self.model_dump(by_alias=True) | given)
