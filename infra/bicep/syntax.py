"""Bicep files as declarations. Source of the language: "Bicep file structure and syntax"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_BICEP = Language(tree_sitter_bicep.language())
# The grammar doesn't know these.
_EXTENSION = re.compile(r"^extension (\w+)$", re.MULTILINE)
_USING = re.compile(r"^using '.*'$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^param (\w+) =", re.MULTILINE)
# It takes the question mark for a condition's. A type of Bicep's own it knows.
_NULLABLE = re.compile(r"(: )(?!(?:string|int|bool|object)\?)(\w+)\?$", re.MULTILINE)
NULLABLE = "nullable__"


class BicepError(Exception):
    """What a compiler or Azure would refuse, with the file and the line."""


@dataclass(frozen=True)
class Parameter:
    type: Node
    default: Node | None
    decorators: dict[str, list[Node]]


@dataclass(frozen=True)
class Type:
    """A type that a file gives a name."""

    value: Node
    decorators: dict[str, list[Node]]


@dataclass(frozen=True)
class Declaration:
    """A resource or a module; its kind is the resource type with version, or the module's path."""

    symbol: str
    kind: str
    value: Node
    existing: bool
    decorators: dict[str, list[Node]]


@dataclass
class Template:
    path: Path
    scope: str = "resourceGroup"
    extensions: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Node] = field(default_factory=dict)
    resources: dict[str, Declaration] = field(default_factory=dict)
    modules: dict[str, Declaration] = field(default_factory=dict)
    outputs: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    types: dict[str, "Type"] = field(default_factory=dict)
    identifiers: list[str] = field(default_factory=list)
    """Every name that is used or declared, as often as it is."""


def read(path: Path) -> Template:
    """Raise BicepError."""
    text = path.read_text()
    template = Template(path, extensions=tuple(_EXTENSION.findall(text)))
    text = _NULLABLE.sub(rf"\1{NULLABLE}\2", text)
    known = _ASSIGNMENT.sub(r"var \1 =", _USING.sub("", _EXTENSION.sub("", text)))
    root = Parser(_BICEP).parse(known.encode()).root_node
    if root.has_error:
        raise error_at(next(_faults(root)), path, "is no Bicep")
    template.identifiers = [text_of(node) for node in _walk(root) if node.type == "identifier"]
    decorators: dict[str, list[Node]] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = decorators_of(node)
        elif node.type not in _UNSAID:
            _declare(template, node, decorators)
            decorators = {}
    return template


def assignments(path: Path) -> dict[str, Node]:
    """Return the parameters that a .bicepparam file assigns. Raise BicepError."""
    return read(path).variables


def _declare(template: Template, node: Node, decorators: dict[str, list[Node]]) -> None:
    names = said(node)
    match node.type:
        case "target_scope_assignment":
            template.scope = plain_text(names[0])
        case "parameter_declaration":
            _, wanted, *default = names
            parameter = Parameter(wanted, default[0] if default else None, decorators)
            template.parameters[text_of(names[0])] = parameter
        case "variable_declaration":
            template.variables[text_of(names[0])] = names[1]
        case "output_declaration":
            template.outputs[text_of(names[0])] = (names[1], names[2])
        case "type_declaration":
            template.types[text_of(names[0])] = Type(names[1], decorators)
        case "resource_declaration" | "module_declaration":
            existing = any(child.type == "existing" for child in node.children)
            declaration = Declaration(
                text_of(names[0]), plain_text(names[1]), names[-1], existing, decorators
            )
            where = template.resources if node.type[0] == "r" else template.modules
            where[declaration.symbol] = declaration
        case _:
            raise error_at(node, template.path, f"{node.type} is not used in infra/")


def decorators_of(node: Node) -> dict[str, list[Node]]:
    calls = [decorator.named_children[0] for decorator in node.named_children]
    return {
        text_of(call.named_children[0]): call.named_children[1].named_children for call in calls
    }


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _faults(root: Node) -> Iterator[Node]:
    return (node for node in _walk(root) if node.is_error or node.is_missing)


def said(node: Node) -> list[Node]:
    """Return the parts of a node that mean something to the deployment."""
    return [part for part in node.named_children if part.type not in _UNSAID]


_UNSAID = {"comment", "diagnostic_comment"}


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


def plain_text(node: Node) -> str:
    """A string without interpolation."""
    return text_of(node).strip("'")


def error_at(node: Node, path: Path, what: str) -> BicepError:
    return BicepError(f"{path.name}:{node.start_point[0] + 1}: {what}: {text_of(node)[:60]}")
