"""Reading a body as a model, with every fault of it."""

from pydantic import ValidationError

from connorg.contract.faults import Fault, faults_of
from connorg.contract.model import Model


class MalformedBodyError(Exception):
    """The body is not a JSON object. Its text is a sentence for the caller."""


class InvalidValuesError(Exception):
    """The body is a JSON object with faults: all of them, in the order of the body."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:5]))
        self.faults = faults


def parse[M: Model](model: type[M], body: bytes | str) -> M:
    """Read JSON text as a model.

    Raises MalformedBodyError when it isn't a JSON object, InvalidValuesError when values are wrong.
    """
    if not body.strip():
        raise MalformedBodyError("The body is empty. Send the organization as a JSON object.")
    try:
        return model.model_validate_json(body, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            reason = first["ctx"]["error"]
            raise MalformedBodyError(f"The body is not JSON that can be read: {reason}.") from None
        if first["type"] == "model_type":
            raise MalformedBodyError("The body must be one JSON object.") from None
        raise InvalidValuesError(faults_of(error)) from None
