"""JMESPath: where in an event something stands. See https://jmespath.org."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

_LONGEST_REASON = 200  # characters


class ExpressionError(Exception):
    """An expression can't be evaluated on this event. The text is a sentence's end."""


@cache
def _compiled(expression: str) -> "ParsedResult":
    import jmespath  # noqa: PLC0415  only webhooks need it

    return jmespath.compile(expression)


def checked(expression: str) -> str:
    """Give an expression back. Raises ValueError if it is none, or calls what JMESPath has not."""
    from jmespath import exceptions  # noqa: PLC0415

    try:
        # Functions are looked up when they are called: on nothing, most of them are.
        with suppress(exceptions.JMESPathTypeError):
            _compiled(expression).search(None)
    except exceptions.JMESPathError as error:
        raise ValueError(f"{_first_line(error)}: no JMESPath expression") from None
    return expression


Expression = Annotated[str, AfterValidator(checked)]


def evaluate(expression: str, event: Any) -> Any:
    """Give what the expression finds; None: nothing. Raises ExpressionError."""
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        return _compiled(expression).search(event)
    except JMESPathError as error:
        raise ExpressionError(_first_line(error)) from None


def _first_line(error: Exception) -> str:
    """Leave out the expression, which JMESPath repeats below with a mark at the place.

    The first line may hold a value of the event, however long that is.
    """
    return str(error).splitlines()[0].rstrip(":")[:_LONGEST_REASON]
