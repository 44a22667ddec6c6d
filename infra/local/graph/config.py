"""How the emulated tenant behaves: ``PUT /_emulator/config``."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from infra.local.graph.errors import GraphError, Situation
from infra.local.graph.wire import ControlModel

type Status = Annotated[int, Field(ge=200, le=599)]
type Filters = Literal["case_sensitive", "ignore_case", "ignored", "refused", "empty"]
type Seconds = Annotated[float, Field(ge=0)]

_JSON_OBJECT = TypeAdapter(dict[str, Any])


class Throttle(ControlModel):
    requests: int = Field(gt=0)
    seconds: float = Field(gt=0)


class Refusal(ControlModel):
    """``message`` None is the emulator's own."""

    status: Annotated[int, Field(ge=400, le=599)]
    code: str
    message: str | None = None


class Config(ControlModel):
    """``refusals`` outranks the other settings: it is what was observed in a real tenant.

    ``filters`` is what a ``$filter`` comes to: it may be compared exactly, or without regard to
    case, have no effect, be refused, or find nothing. ``top`` is how ``$top`` counts: as the size
    of a page, as Graph's documents have it, or as a limit of the whole list. With ``empty_pages``
    a page with nothing but a nextLink comes before each. The organizations that ``holds`` names
    cannot be deleted. Without ``judges`` any body that can be read is taken, whatever Graph would
    make of it.

    ``roles`` stands for what is granted now; None leaves it to the token. A new organization
    is not read until ``consistency_delay_seconds`` after its creation, by what the delay is when
    it is read."""

    duplicate_status: Status = 400
    unique_display_names: bool = False
    filters: Filters = "case_sensitive"
    page_size: int = Field(default=100, gt=0)
    empty_pages: bool = False
    top: Literal["page", "limit"] = "page"
    holds: list[str] = Field(default=[])
    judges: bool = True
    organization_limit: int = 2500
    limit_status: Status = 403
    limit_code: str = "QuotaExceeded"
    patch_status: Literal[200, 202, 204] = 204
    repeated_sponsor_status: Status = 204
    refusals: dict[Situation, Refusal] = Field(default={})
    roles: list[str] | None = None
    licensed: bool = True
    consistency_delay_seconds: Seconds = 0
    latency_seconds: Seconds = 0
    throttle: Throttle | None = None

    def refuse(self, situation: Situation) -> None:
        """For what is taken unless configured otherwise. Raise GraphError if it is."""
        if told := self.refusals.get(situation):
            message = told.message or "It was configured to be refused."
            raise GraphError(told.status, told.code, message)

    def told(self, error: GraphError) -> GraphError:
        """An error as this tenant reports it."""
        told = self.refusals.get(error.situation) if error.situation else None
        if told is None:
            return error
        return GraphError(told.status, told.code, told.message or error.message)

    def merged(self, changes: object) -> "Config":
        """Raise pydantic.ValidationError."""
        given = _JSON_OBJECT.validate_python(changes)
        return Config.model_validate(self.model_dump(by_alias=True) | given)
