"""What a function app declares, as the worker reports it."""

import os
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

SETTING = re.compile(r"%([^%]+)%")


class CannotStartError(Exception):
    """The host refuses to start; the message is a sentence for whoever started it."""


@dataclass(frozen=True)
class Function:
    """One function. `trigger` is its trigger binding, as it would stand in a function.json."""

    name: str
    id: str
    trigger: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        return str(self.trigger["name"])


def define(name: str, function_id: str, bindings: Iterable[Mapping[str, Any]]) -> Function:
    """The function with these bindings. Raises CannotStartError for what this host cannot run.

    Differs: the real host loads extensions for the other bindings.
    """
    triggers = []
    for binding in bindings:
        if binding["type"] in TRIGGERS:
            triggers.append(binding)
        elif binding["type"] != HTTP_ANSWER:
            raise CannotStartError(
                f"The function '{name}' has a binding of type '{binding['type']}', "
                f"which this local host does not know; it knows {', '.join(TRIGGERS)}."
            )
    if len(triggers) != 1:
        raise CannotStartError(
            f"The function '{name}' has {len(triggers)} triggers; it needs exactly one."
        )
    return Function(name, function_id, triggers[0])


def resolve_settings(text: str, function: Function) -> str:
    """Replace each %NAME% by the app setting of that name, as host and function.json do.

    Raises CannotStartError when the setting is missing.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise CannotStartError(
                f"The function '{function.name}' needs the app setting '{match[1]}', "
                f"because '{text}' names it; the setting is not set."
            ) from None

    return SETTING.sub(value, text)
