"""One registry of error codes: nobody writes one down elsewhere, and callers are told of each."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connorg.contract.problems import ErrorCode, ProblemKind

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "http-errors.md"
ADVICE = "write a member of ErrorCode; they are in connorg/contract/problems.py"


def texts_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "code"


def codes_of(node: ast.AST) -> Iterator[ast.AST]:
    """Return whatever stands in the place of an error's code."""
    match node:
        case ast.Call(func=ast.Name(id="OnboardingError"), keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == "code")
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield value
        case ast.Compare(left=left, comparators=others) if any(map(is_code, (left, *others))):
            yield from (left, *others)
        case ast.Match(subject=subject, cases=cases) if is_code(subject):
            yield from (case.pattern for case in cases)
        case _:
            pass


def offenders(source: str, file: str) -> list[str]:
    return [
        f"{file}, line {node.lineno}: {text!r} stands for an error's code; {ADVICE}"
        for node in ast.walk(ast.parse(source))
        for code in codes_of(node)
        if isinstance(node, ast.expr | ast.stmt)
        for text in texts_in(code)
    ]


def test_no_code_is_written_as_a_text() -> None:
    """But for the OpenAPI document, where a schema has a property of this name."""
    files = [*(ROOT / "connorg").rglob("*.py"), ROOT / "function_app.py"]
    found = [
        one
        for path in files
        if "openapi" not in path.parts
        for one in offenders(path.read_text(), str(path.relative_to(ROOT)))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "OnboardingError(code='GaveUp', message='…')",
        "OnboardingError(code=codes.get(reason, 'GaveUp'), message='…')",
        "error.model_copy(update={'code': 'GaveUp'})",
        "if error.code == 'GaveUp': pass",
        "known = error.code in {'GaveUp'}",
        "match error.code:\n    case 'GaveUp': pass",
    ],
)
def test_whoever_writes_one_is_named(source: str) -> None:
    [found] = offenders(source, "connorg/core/x.py")
    assert found.startswith("connorg/core/x.py, line 1: 'GaveUp'")
    assert "connorg/contract/problems.py" in found


def test_a_code_is_its_name_in_the_words_of_the_wire() -> None:
    """So a code that an answer has too is told from it by nobody."""
    assert {code.name: code.value for code in ErrorCode} == {
        code.name: "".join(map(str.capitalize, code.name.split("_"))) for code in ErrorCode
    }
    both = {kind.name for kind in ProblemKind} & {code.name for code in ErrorCode}
    assert {ErrorCode[name] for name in both} == {ProblemKind[name].code for name in both}
    assert "ALREADY_CONNECTED" in both


def test_callers_are_told_of_every_code() -> None:
    told = set(re.findall(r"`([A-Z][A-Za-z]+)`", PAGE.read_text()))
    codes = {*ErrorCode, *(kind.code for kind in ProblemKind)}
    missing = sorted(codes - told)
    assert not missing, f"docs/http-errors.md says nothing of {', '.join(missing)}"
    unknown = sorted(told - codes)
    assert not unknown, (
        f"docs/http-errors.md speaks of {', '.join(unknown)};"
        " connorg/contract/problems.py has no such code"
    )
