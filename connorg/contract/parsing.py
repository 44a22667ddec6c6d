"""Reading a body as a model, with every fault of it: JSON text, or what was read of it."""

from collections.abc import Mapping

from pydantic import ValidationError

from connorg.contract.faults import Fault, faults_of
from connorg.contract.model import ASKED, Model
from connorg.contract.texts import UndecodableError, text_of


class MalformedBodyError(Exception):
    """The body is not a JSON object. Its text is a sentence for the caller."""


def _told(fault: Fault) -> str:
    return f"{fault.pointer}: {fault.detail}" if fault.pointer else fault.detail


class InvalidValuesError(Exception):
    """The body is a JSON object with faults: all of them, in the order of the body."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(_told, faults[:5])))
        self.faults = faults


def parse[M: Model](model: type[M], body: bytes | str) -> M:
    """Read JSON text that somebody sent as a model.

    Raise MalformedBodyError when it isn't a JSON object, InvalidValuesError when values are wrong.
    """
    try:
        return model.model_validate_json(
            json_text_of(body), by_alias=True, by_name=False, context=ASKED
        )
    except ValidationError as error:
        raise _error_of(error) from None


def json_text_of(body: bytes | str) -> str:
    """Decode JSON, by which mark it begins with. Raise MalformedBodyError."""
    try:
        text = body if isinstance(body, str) else text_of(body, "body")
    except UndecodableError as error:
        raise MalformedBodyError(f"{error} Send JSON in UTF-8.") from None
    if not text.strip():
        raise MalformedBodyError("The body is empty. Send the organization as a JSON object.")
    return text


def parse_fields[M: Model](
    model: type[M], fields: object, context: Mapping[str, bool] | None = None
) -> M:
    """Read what JSON text came to. `context`: ASKED, unless connorg wrote it itself.

    Raise MalformedBodyError when it isn't an object, InvalidValuesError when values are wrong.
    """
    try:
        return model.model_validate(fields, by_alias=True, by_name=False, context=context)
    except ValidationError as error:
        raise _error_of(error) from None


def _error_of(error: ValidationError) -> MalformedBodyError | InvalidValuesError:
    errors = error.errors(include_url=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        return unreadable(errors[0]["ctx"]["error"])
    if errors[0]["type"] == "model_type":
        return MalformedBodyError("The body must be one JSON object.")
    if any(one["type"] == "string_unicode" for one in errors):
        return unreadable("it contains half of a surrogate pair")  # which no text does
    return InvalidValuesError(faults_of(error))


def unreadable(reason: str) -> MalformedBodyError:
    """Return the error for text that is no JSON."""
    return MalformedBodyError(f"The body is not JSON that can be read: {reason}.")
