"""What every model on the wire has in common."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationInfo
from pydantic.alias_generators import to_camel

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


ASKED: Mapping[str, bool] = {"asked": True}
"""The context in which is read what somebody sends. What earlier versions wrote under more lenient
rules must still be read."""


def is_asked(info: ValidationInfo) -> bool:
    return info.context is ASKED


class Model(BaseModel):
    """Frozen, with Graph's camelCase names on the wire and Python's in code."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        field_title_generator=lambda name, _: name.replace("_", " ").title(),
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # a process pays for the models that it uses, not for all
    )
