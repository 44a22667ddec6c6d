"""What is missing in JMESPath for tickets, as functions of expressions. docs/connect has them all.

A function of nothing returns nothing: the field decides whether that is a fault.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from jmespath import functions

from connorg.contract.blanks import is_blank
from connorg.contract.domains import domain_of
from connorg.webhooks.html_entities import without_entities

if TYPE_CHECKING:
    from jmespath.functions import _Signature

_ANY: "_Signature" = {"types": []}
_MORE: "_Signature" = {"types": [], "variadic": True}
_TEXT: "_Signature" = {"types": ["string"]}
_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAK = re.compile(r"<(br|/p|/div|/li|/tr)\b[^<>]{0,200}>", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6}|\*\*|h[1-6]\.")  # of Markdown, and of Jira's own


class Functions(functions.Functions):
    @functions.signature(_ANY, _MORE)
    def _func_default(self, *values: Any) -> Any:
        return next((value for value in values if not is_blank(value)), None)

    @functions.signature(_ANY)
    def _func_domain_of(self, value: Any) -> str | None:
        return domain_of(value) if isinstance(value, str) else None

    @functions.signature(_ANY)
    def _func_lower(self, value: Any) -> str | None:
        return value.lower() if isinstance(value, str) else None

    @functions.signature(_ANY)
    def _func_trim(self, value: Any) -> str | None:
        return value.strip() if isinstance(value, str) else None

    @functions.signature(_ANY, _TEXT)
    def _func_split(self, value: Any, separator: str) -> list[str]:
        if not isinstance(value, str):
            return []
        return [part.strip() for part in value.split(separator or None) if part.strip()]

    @functions.signature(_ANY, _TEXT, _TEXT)
    def _func_replace(self, value: Any, old: str, new: str) -> str | None:
        return value.replace(old, new) if isinstance(value, str) and old else None

    @functions.signature(_ANY)
    def _func_text_of(self, value: Any) -> str | None:
        """HTML as text: without tags and entities."""
        if not isinstance(value, str):
            return None
        text = without_entities(_TAG.sub("", _BREAK.sub("\n", value)))
        return "\n".join(filter(None, map(str.strip, text.splitlines())))

    @functions.signature(_ANY, _TEXT)
    def _func_section(self, value: Any, title: str) -> str | None:
        """The text under a heading of Markdown, as issue forms write it, or after `title:`."""
        if not isinstance(value, str):
            return None
        found: list[str] = []
        within = False
        for line in value.splitlines():
            heading = _HEADING.match(line.strip())
            name, colon, rest = line.strip().partition(":")
            if heading is not None:
                if within:
                    break
                within = _same(line.strip()[heading.end() :].strip(" \t:*#"), title)
            elif within:
                found.append(line)
            elif colon and _same(name.strip("*-# "), title):
                return rest.strip("* ")
        return "\n".join(found).strip() or None


def _same(name: str, title: str) -> bool:
    return name.strip().casefold() == title.strip().casefold()


@cache
def arities() -> Mapping[str, tuple[int, bool]]:
    """Return of each function that an expression may call how many arguments it takes.

    And whether there may be more of them.
    """
    table: Any = Functions.FUNCTION_TABLE
    return {
        name: (len(told["signature"]), bool(told["signature"][-1].get("variadic")))
        for name, told in table.items()
    }
