"""What the body of an error says, whatever its shape.

Graph's envelope is `{"error": {"code", "message", "details", "innerError"}}`. Behind it stand other
services, with `odata.error`, a message that is an object or JSON itself, chains of inner errors, no
envelope, a page of HTML, half an answer.
"""

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_LONGEST = 100_000  # characters that are looked at
_MOST_PARTS = 1000
_MESSAGES = frozenset({"message", "errormessage", "error_description", "error"})
_CODE = re.compile(r'"(?:code|errorcode)"\s*:\s*"([^"\\]{1,200})"', re.IGNORECASE)
_MESSAGE = re.compile(r'"(?:message|value)"\s*:\s*"((?:[^"\\]|\\.){1,2000})', re.IGNORECASE)
_MARKUP = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.IGNORECASE | re.DOTALL
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Words:
    """What an error says. `codes` and `messages`: the outermost first."""

    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    body: str = ""

    @property
    def code(self) -> str | None:
        return next(iter(self.codes), None)

    @property
    def message(self) -> str | None:
        return next(iter(self.messages), None)

    @property
    def text(self) -> str:
        """All that it says, in lower case."""
        return " ".join((*self.codes, *self.messages)).lower()

    @property
    def unquoted(self) -> str:
        """The same without what it quotes: a name there is the caller's word, not Graph's."""
        return _QUOTED.sub(" ", " ".join((*self.codes, *self.messages))).lower()

    def holds(self, names: Iterable[str]) -> bool:
        """Whether one of the names is anywhere in the body, regardless of case."""
        body = self.body.lower()
        return any(name.lower() in body for name in names)


def words_of(body: bytes) -> Words:
    """Read an error's body as far as it can be read."""
    text = body[:_LONGEST].decode("utf-8-sig", errors="replace")
    value = _parsed(text)
    if not isinstance(value, dict | list):
        return _unparsed(text)
    codes: list[str] = []
    messages: list[str] = []
    parts: deque[Any] = deque([value])
    for _ in range(_MOST_PARTS):
        if not parts:
            break
        part = parts.popleft()
        if isinstance(part, list):
            parts.extend(part)
            continue
        if not isinstance(part, dict):
            continue
        for name, held in part.items():
            parts.extend(_inner(name.lower(), held))
            if isinstance(held, str) and held.strip() and _parsed(held) is None:
                said = {"code": codes, "errorcode": codes}.get(name.lower())
                said = messages if name.lower() in _MESSAGES else said
                if said is not None:
                    said.append(held.strip())
    return Words(tuple(codes), tuple(messages), text)


def _inner(name: str, held: object) -> list[Any]:
    """Return what is inside: a message may be JSON, or an object with language and value."""
    if name == "message" and isinstance(held, dict):
        return [{"message": held.get("value")}]
    inner = _parsed(held) if isinstance(held, str) else held
    return [inner] if isinstance(inner, dict | list) else []


def _parsed(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unparsed(text: str) -> Words:
    """Read half an answer, or a page."""
    codes = tuple(_CODE.findall(text))
    messages = tuple(_MESSAGE.findall(text))
    if not codes and not messages:
        plain = " ".join(_MARKUP.sub(" ", text).split())
        messages = (plain,) if plain else ()
    return Words(codes, messages, text)
