"""JMESPath: where a value is in an event. See https://jmespath.org."""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from connorg.contract.blanks import is_blank

if TYPE_CHECKING:
    import jmespath
    from jmespath.parser import ParsedResult

_LONGEST_REASON = 200  # characters
_LONGEST_VALUE = 60  # characters of a value that an explanation repeats
_MOST_COMPARED = 200  # members that an explanation looks at
_MOST_NAMES = 8  # of members that an explanation lists
_STEP = r'(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]*")'
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_PATH_IN_CALLS = re.compile(rf"(?:\w{{1,40}}\()*({_PATH.pattern})(?:[,)].*)?")


class ExpressionError(Exception):
    """An expression can't be evaluated on this event. The text is a sentence's end."""


@cache
def _compiled(expression: str) -> "ParsedResult":
    import jmespath  # noqa: PLC0415  only webhooks need it

    return jmespath.compile(expression)


@cache
def _options() -> "jmespath.Options":
    import jmespath  # noqa: PLC0415

    from connorg.webhooks.functions import Functions  # noqa: PLC0415

    return jmespath.Options(custom_functions=Functions())


def checked(expression: str) -> str:
    """Return an expression back. Raise ValueError if it is none, or calls what there is not."""
    from jmespath import exceptions  # noqa: PLC0415

    try:
        parsed: Any = _compiled(expression).parsed
    except exceptions.JMESPathError as error:
        raise ValueError(f"{_first_line(error)}: no JMESPath expression") from None
    for call in _calls(parsed):
        _check_call(call["value"], len(call["children"]))
    return expression


def _calls(node: Any) -> Iterator[dict[str, Any]]:
    """Find every call, also where none is made on this event."""
    if isinstance(node, dict):
        if node.get("type") == "function_expression":
            yield node
        for child in node.get("children", ()):
            yield from _calls(child)


def _check_call(name: str, count: int) -> None:
    from connorg.webhooks.functions import arities  # noqa: PLC0415

    known = arities()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}()?" if near else f"Known are {', '.join(sorted(known))}."
        raise ValueError(f"Unknown function: {name}(). {hint}")
    least, has_more = known[name]
    if count < least or (count > least and not has_more):
        more = " or more" if has_more else ""
        raise ValueError(f"Expected {least}{more} arguments for {name}(), not {count}")


Expression = Annotated[str, AfterValidator(checked)]


def evaluate(expression: str, event: Any) -> Any:
    """Return what the expression finds; None: nothing. Raise ExpressionError."""
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415

    try:
        return _compiled(expression).search(event, _options())
    except JMESPathError as error:
        raise ExpressionError(_first_line(error)) from None
    except RecursionError:
        raise ExpressionError("it is nested too deeply") from None


def _first_line(error: Exception) -> str:
    """Leave out the expression, which JMESPath repeats below with a mark at the place.

    The first line may hold a value of the event, however long that is.
    """
    return str(error).splitlines()[0].rstrip(":")[:_LONGEST_REASON]


# What an expression found, for its author


def explained(expression: str, event: Any) -> str:
    """Say in half a sentence what an expression finds, and where it goes wrong if it is a path."""
    try:
        found = evaluate(expression, event)
    except ExpressionError as error:
        return f"{expression} fails: {error}"
    if found is not None:
        word = ", which counts as no value" if is_blank(found) else ""
        return f"{expression} found {shown(found)}{word}"
    return f"{expression} found nothing{_missing(expression, event)}"


def shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    cut = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def _missing(expression: str, event: Any) -> str:
    """Name the member that is not there, and those that are; of a call by its first argument."""
    path = _PATH_IN_CALLS.fullmatch(expression)
    if path is None:
        return ""
    expression = path[1]
    here, passed = event, "the event"
    steps = [step.strip('"') for step in re.findall(_STEP, expression)]
    for place, step in enumerate(steps):
        if here is None:
            return f": {passed} is null"
        if not isinstance(here, dict):
            return f": {passed} is {shown(here)}, which has no {step}"
        if step not in here:
            return f": {_not_there(step, '.'.join(steps[place:]), here, passed)}"
        here = here[step]
        passed = step if place == 0 else f"{passed}.{step}"
    return ", it is null" if here is None else ""


def _not_there(step: str, rest: str, here: dict[str, Any], passed: str) -> str:
    dotted = next((name for name in here if "." in name and rest.startswith(name)), None)
    if dotted is not None:
        return f'{passed} has "{dotted}", which needs quotation marks for its full stop'
    names = [name for name in islice(here, _MOST_COMPARED) if len(name) <= _LONGEST_VALUE]
    near = get_close_matches(step, names, n=3, cutoff=0.5)
    listed = dict.fromkeys([*near, *names][:_MOST_NAMES])
    more = ", …" if len(names) > len(listed) else ""
    there = ", ".join(shown(name)[1:-1] for name in listed)
    return f"{passed} has no {step}, it has {there}{more}" if listed else f"{passed} is empty"


def conditions_of(expression: str) -> list[str]:
    """Take a condition apart where all of several must hold (`&&`), as it is written."""
    parts, depth, quote, start = [], 0, "", 0
    for place, character in enumerate(expression):
        if quote:
            quote = "" if character == quote and expression[place - 1] != "\\" else quote
        elif character in "'\"`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif not depth and expression.startswith("&&", place):
            parts.append(expression[start:place].strip())
            start = place + 2
        elif not depth and expression.startswith("||", place):
            return [expression.strip()]
    return [*parts, expression[start:].strip()]


def paths_in(condition: str) -> list[str]:
    """Return the paths that a condition compares with something."""
    compared = re.match(rf"({_PATH.pattern})\s*(?:==|!=|<=?|>=?|$)", condition)
    sought = re.match(rf"({_PATH.pattern})\[", condition)
    return [match[1] for match in (compared, sought) if match]
