"""As much of Logic Apps as the workflows in infra/logic-apps need: expressions, and HTTP actions.

Sources: "Schema reference guide for the Workflow Definition Language", "Asynchronous request-reply
pattern" and "Handle errors and exceptions in Azure Logic Apps" (Microsoft).
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from infra.local.child import ROOT

FOLDER = ROOT / "infra/logic-apps"
WORKFLOWS = ("call-and-poll", "call-and-wait-for-callback", "for-each-row")
CALLBACK = "https://prod-00.westeurope.logic.azure.com/workflows/x/runs/1/actions/Onboard?sig=s"
REPEATED = {408, 429, *range(500, 600)}
REPETITIONS = 4  # the default policy's

type Json = dict[str, Any]
type Send = Callable[[str, str, Mapping[str, str], bytes | None], Awaitable[httpx.Response]]


def workflow(name: str) -> Json:
    return dict(json.loads(Path(FOLDER / f"{name}.json").read_text()))


def actions_of(definition: Json) -> dict[str, Json]:
    """All actions, also those within others."""
    found: dict[str, Json] = {}
    for name, action in definition.get("actions", {}).items():
        found |= {name: action, **actions_of(action), **actions_of(action.get("else", {}))}
        for case in action.get("cases", {}).values():
            found |= actions_of(case)
    return found


def call_of(action: Json) -> Json:
    """The HTTP request that an action sends first."""
    return dict(action["inputs"].get("subscribe", action["inputs"]))


class Run:
    """The values that expressions of a run stand for."""

    def __init__(self, parameters: Mapping[str, str], row: Json) -> None:
        self._functions: Mapping[str, Callable[..., Any]] = {
            "parameters": lambda name: parameters[name],
            "triggerBody": lambda: row,
            "items": lambda _: row,
            "workflow": lambda: {"run": {"name": "08585"}},
            "listCallbackUrl": lambda: CALLBACK,
            "if": lambda condition, yes, no: yes if condition else no,
            "empty": lambda value: not value,
            "coalesce": lambda *values: next((v for v in values if v is not None), None),
            "body": lambda name: self.bodies[name],
            "outputs": lambda name: self.bodies[name],
            "equals": lambda one, other: one == other,
            "concat": lambda *texts: "".join(texts),
            "replace": lambda text, old, new: text.replace(old, new),
            "split": lambda text, separator: text.split(separator),
            "first": lambda parts: parts[0],
            "last": lambda parts: parts[-1],
            "uriComponent": lambda text: quote(text, safe=""),
        }
        self.bodies: dict[str, Any] = {}

    def filled(self, value: Any) -> Any:
        """Replace each expression in a value; `@@` stands for a plain `@`."""
        if isinstance(value, dict):
            return {name.replace("@@", "@"): self.filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        if isinstance(value, str) and value.startswith("@") and not value.startswith(("@{", "@@")):
            return self.value(value[1:])
        if isinstance(value, str):
            return re.sub(r"@\{(.*?)\}", lambda match: str(self.value(match[1])), value)
        return value

    def value(self, expression: str) -> Any:
        """Evaluate calls and `?['member']`; anything else raises ValueError."""
        value, rest = self._term(expression)
        if rest:
            raise ValueError(f"{rest!r} is left of {expression!r}")
        return value

    def _term(self, text: str) -> tuple[Any, str]:
        if literal := re.match(r"'([^']*)'", text):
            return literal[1], text[literal.end() :]
        call = re.match(r"(\w+)\(", text)
        if call is None:
            raise ValueError(f"not understood: {text!r}")
        arguments, text = [], text[call.end() :]
        while not text.startswith(")"):
            argument, text = self._term(text)
            arguments.append(argument)
            text = text.removeprefix(",").lstrip()
        value, text = self._functions[call[1]](*arguments), text[1:]
        while member := re.match(r"\??\['(\w+)'\]", text):
            value, text = (value or {}).get(member[1]), text[member.end() :]
        return value, text


async def http_action(call: Json, send: Send, headers: Mapping[str, str] = {}) -> httpx.Response:
    """Send a call as the HTTP action does, poll its Location, and give the last answer.

    `headers` stand for what the authentication adds: it does so to the call, not to the polls.
    """
    content = json.dumps(call["body"]).encode()
    answer = await _repeated(
        send, call["method"], call["uri"], {**call["headers"], **headers}, content
    )
    while answer.status_code == httpx.codes.ACCEPTED:
        await asyncio.sleep(int(answer.headers["retry-after"]))  # what it asks for, and no longer
        answer = await _repeated(send, "GET", answer.headers["location"], {}, None)
    return answer


async def _repeated(
    send: Send, method: str, uri: str, headers: Mapping[str, str], content: bytes | None
) -> httpx.Response:
    for _ in range(REPETITIONS):
        answer = await send(method, uri, headers, content)
        if answer.status_code not in REPEATED:
            break
    return answer
