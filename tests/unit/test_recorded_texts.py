"""Texts for people that answers of the app were recorded with: the code must still have them.

Who changes a word of an error sees it here, before the slow tests that ask the app again.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from infra.local.child import ROOT

RECORDED = {
    "connorg/functions/openapi/examples.json": "make examples openapi connector",
    "tests/unit/command/answers.json": ".venv/bin/python -m tests.unit.command.record",
}
FOR_PEOPLE = {"title", "detail", "action", "message", "error"}
PLACE = re.compile(r"\{\w*\}")  # of a value, in what `format` fills in
RULE = re.compile(r" \(rule: .+\)$")  # of the policy, behind each of its texts
WORD = re.compile(r"[A-Za-z]{2,}")

type Template = Sequence[str]
"""The texts between the values that are filled in."""


@pytest.mark.parametrize(("file", "command"), RECORDED.items())
def test_a_recorded_text_is_one_that_the_code_has(file: str, command: str) -> None:
    recorded = set(_texts(json.loads((ROOT / file).read_text())))
    assert len(recorded) > 10
    gone = [text for text in recorded if not any(_fits(text, each) for each in _templates())]
    assert not gone, f"{file} has a text that connorg/ no longer has. Run: {command}"


def _texts(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _texts(each, key)
        case list():
            for each in value:
                yield from _texts(each, name)
        case str() if name == "body" and value.startswith("{"):  # as it came over the wire
            yield from _texts(json.loads(value))
        case str() if name in FOR_PEOPLE and " " in value:
            yield value


def _fits(text: str, template: Template) -> bool:
    """Whether the text is the template with values, regardless of case and of a last full stop.

    Texts of validators get their capital and their full stop where they are shown.
    """
    rest = RULE.sub("", text.lower()).rstrip(".")
    first, *others = (part.lower() for part in template)
    if not others:
        return rest == first.rstrip(".")
    last = others.pop().rstrip(".")
    is_long = len(rest) >= len(first) + len(last)
    if not (is_long and rest.startswith(first) and rest.endswith(last)):
        return False
    rest = rest[len(first) : len(rest) - len(last)]
    for part in others:
        _, found, rest = rest.partition(part)
        if found != part:
            return False
    return True


@cache
def _templates() -> Sequence[Template]:
    """Return each text of two words or more that is written in the product."""
    found = [
        template
        for path in sorted((ROOT / "connorg").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for template in _template(node)
    ]
    return [template for template in found if len(WORD.findall(" ".join(template))) > 1]


def _template(node: ast.AST) -> Iterator[Template]:
    match node:
        case ast.JoinedStr(values):
            texts = (part.value if isinstance(part, ast.Constant) else "{}" for part in values)
            yield PLACE.split("".join(map(str, texts)))
        case ast.Constant(value=str() as text):
            yield PLACE.split(text)
