"""How control bodies are read: names in camelCase, types strictly, nothing unknown."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel


class ControlModel(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True, strict=True
    )


def sentence(error: ValidationError) -> str:
    """What is wrong, for the sender."""
    return " ".join(f"{_place(fault['loc'])}: {fault['msg']}." for fault in error.errors())


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location) or "The body"
