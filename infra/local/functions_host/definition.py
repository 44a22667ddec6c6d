"""What a function app declares, as the worker reports it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HTTP, QUEUE, TIMER, WARM_UP = TRIGGERS = (
    "httpTrigger",
    "queueTrigger",
    "timerTrigger",
    "warmupTrigger",
)
HTTP_ANSWER = "http"
DIRECTIONS = ("in", "out", "inout")
LEVELS = ("anonymous", "function", "system", "user", "admin")
DEFAULT_LEVEL = "function"

SETTING = re.compile(r"%([^%]+)%")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
PARAMETER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*|\$return")
RESERVED_NAME = "host"


class CannotStartError(Exception):
    """This host does not do what the app asks for; the message is a sentence for its starter."""


class HostInErrorError(Exception):
    """The whole host is in error: it runs, and answers 503 to all but a few pages of its own."""


class FunctionInErrorError(Exception):
    """One function is in error: it is left out, and the others run."""


@dataclass(frozen=True)
class Declaration:
    """A function as the worker lists it; `bindings` as in a function.json."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Function:
    """One function. `trigger` is its trigger binding, as in a function.json."""

    name: str
    id: str
    trigger: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        return str(self.trigger["name"])

    @property
    def level(self) -> str:
        """Which keys open it (authLevel), in lower case."""
        return str(self.trigger.get("authLevel") or DEFAULT_LEVEL).lower()


def define(declaration: Declaration) -> Function:
    """The function that is declared.

    Raise FunctionInErrorError for a fault, and CannotStartError for what this host cannot run.
    Differs: the real host loads extensions for the other bindings.
    """
    name = declaration.name
    if not NAME.fullmatch(name) or name.lower() == RESERVED_NAME:
        raise FunctionInErrorError(f"'{name}' is not a name of a function")
    triggers = [_checked(binding) for binding in declaration.bindings if _is_trigger(name, binding)]
    if len(triggers) != 1:
        raise FunctionInErrorError(f"it has {len(triggers)} triggers and needs exactly one")
    return Function(name, declaration.id, triggers[0])


def _is_trigger(name: str, binding: Mapping[str, Any]) -> bool:
    if binding["type"] in TRIGGERS:
        return True
    if binding["type"] == HTTP_ANSWER:
        return False
    raise CannotStartError(
        f"The function '{name}' has a binding of type '{binding['type']}', "
        f"which this local host does not know; it knows {', '.join(TRIGGERS)}."
    )


def _checked(trigger: Mapping[str, Any]) -> Mapping[str, Any]:
    if not PARAMETER_NAME.fullmatch(str(trigger.get("name", ""))):
        raise FunctionInErrorError(f"the name of its trigger is '{trigger.get('name', '')}'")
    if str(trigger.get("direction", "in")).lower() not in DIRECTIONS:
        raise FunctionInErrorError(f"the direction of its trigger is '{trigger['direction']}'")
    if not isinstance(trigger.get("methods") or [], list):
        raise FunctionInErrorError("the methods of its trigger are no list")
    level = str(trigger.get("authLevel") or DEFAULT_LEVEL)
    if level.lower() not in LEVELS:
        raise FunctionInErrorError(f"its authLevel is '{level}'")
    return trigger


def is_disabled(name: str, environment: Mapping[str, str]) -> bool:
    """Whether the app setting AzureWebJobs.<Name>.Disabled switches the function off."""
    names = (f"AzureWebJobs.{name}.Disabled", f"AzureWebJobs_{name}_Disabled")
    wanted = {known.lower() for known in names}
    return any(
        key.lower() in wanted and value.lower() in {"true", "1"}
        for key, value in environment.items()
    )


def resolve_settings(text: str, environment: Mapping[str, str]) -> str:
    """Replace each %NAME% by the app setting of that name, as host and function.json do.

    Raise FunctionInErrorError when the setting is missing.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return environment[match[1]]
        except KeyError:
            raise FunctionInErrorError(
                f"'{text}' names the app setting '{match[1]}', which is not set"
            ) from None

    return SETTING.sub(value, text)


def without_doubles(declarations: Iterable[Declaration]) -> list[Declaration]:
    """The same declarations. Raise HostInErrorError if two names differ by case alone."""
    listed = list(declarations)
    seen: dict[str, str] = {}
    for declaration in listed:
        other = seen.setdefault(declaration.name.lower(), declaration.name)
        if other != declaration.name:
            raise HostInErrorError(
                f"The functions '{other}' and '{declaration.name}' differ by case alone."
            )
    return listed
