"""What a module imports, read from its source and not carried out."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from infra.package.modules import Module

TARGET = {
    "sys": SimpleNamespace(version_info=(3, 13, 0, "final", 0), platform="linux"),
    "os": SimpleNamespace(name="posix"),
    "typing": SimpleNamespace(TYPE_CHECKING=False),
    "TYPE_CHECKING": False,
}
IMPORTERS = {"import_module", "__import__"}
# Code that catches one of these continues without the module. None: a bare except.
CATCHES = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", None}


@dataclass(frozen=True)
class Import:
    """`import module`, or `from module import name`.

    `functions` are those that it stands in. It is `conditional` if it may be left out or may fail:
    in a try that catches that, or in an if that is not decided by Python's version or the platform.
    `is_handed_on`: the module does more with the name than call it or annotate with it.
    """

    module: str
    name: str | None
    functions: tuple[str, ...]
    conditional: bool
    is_handed_on: bool = False


@dataclass(frozen=True)
class Source:
    imports: tuple[Import, ...]
    attributes: frozenset[str]
    texts: frozenset[str]
    imports_computed_names: bool


@cache
def read(module: Module) -> Source:
    if module.is_extension:
        return Source((), frozenset(), frozenset(), imports_computed_names=False)
    reader = _Reader(module)
    reader.visit(ast.parse(module.file.read_bytes()))
    return Source(
        imports=tuple(
            replace(found, is_handed_on=local in reader.handed_on)
            for local, found in reader.imports
        ),
        attributes=frozenset(reader.attributes),
        texts=frozenset(reader.texts),
        imports_computed_names=reader.imports_computed_names,
    )


def mentioned(module: Module) -> set[str]:
    """Every module that one imports from, for type checkers alone included."""
    reader = _Reader(module)
    nodes = ast.walk(ast.parse(module.file.read_bytes()))
    statements = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return {found.module for node in statements for _, found in reader.imported(node)}


class _Reader(ast.NodeVisitor):
    def __init__(self, module: Module) -> None:
        name = module.name
        self._package = name if module.is_package else name.rpartition(".")[0]
        self._functions: tuple[str, ...] = ()
        self._conditional = False
        self.imports: list[tuple[str, Import]] = []
        self.handed_on: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: set[str] = set()
        self.imports_computed_names = False

    def imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import]]:
        """Each name that the statement binds, and what that is."""
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            if isinstance(node, ast.Import):
                yield local, self._import(alias.name, None)
            else:
                yield local, self._import(self._absolute(node), alias.name)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports += self.imported(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.imports += self.imported(node)

    def visit_If(self, node: ast.If) -> None:
        match _value(node.test):
            case None:
                self.visit(node.test)
                with self._under_condition():
                    self._visit_all([*node.body, *node.orelse])
            case True:
                self._visit_all(node.body)
            case False:
                self._visit_all(node.orelse)

    def visit_Try(self, node: ast.Try) -> None:
        if _may_go_on_without(node):
            with self._under_condition():
                self._visit_all([*node.body, *node.handlers])
        else:
            self._visit_all([*node.body, *node.handlers])
        self._visit_all([*node.orelse, *node.finalbody])

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all([*node.decorator_list, *node.args.defaults])
        self._visit_all([default for default in node.args.kw_defaults if default])
        around = self._functions
        self._functions = (*around, node.name)
        self._visit_all(node.body)
        self._functions = around

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all([node.target, *([node.value] if node.value else [])])

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        name = getattr(called, "id", None) or getattr(called, "attr", None)
        if name in IMPORTERS and node.args:
            self._note_dynamic(node.args[0])
        if not isinstance(called, ast.Name):
            self.visit(called)
        self._visit_all([*node.args, *node.keywords])

    def visit_Name(self, node: ast.Name) -> None:
        self.handed_on.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.attributes.add(node.attr)
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.texts.add(node.value)

    def _note_dynamic(self, argument: ast.expr) -> None:
        match argument:
            case ast.Constant(value=str(name)) if not name.startswith("."):
                self.imports.append(("", replace(self._import(name, None), conditional=True)))
            case _:
                self.imports_computed_names = True

    def _import(self, module: str, name: str | None) -> Import:
        return Import(module, name, self._functions, self._conditional)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self._package.split(".")
        around = parts[: len(parts) - node.level + 1]
        return ".".join([*around, *([node.module] if node.module else [])])

    def _visit_all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self.visit(node)

    @contextmanager
    def _under_condition(self) -> Iterator[None]:
        around, self._conditional = self._conditional, True
        yield
        self._conditional = around


def _value(test: ast.expr) -> bool | None:
    """What the test comes to on Linux under Python 3.13; None if that is not all it asks for."""
    try:
        code = compile(ast.Expression(test), "", "eval")
        return bool(eval(code, {"__builtins__": {}, **TARGET}))
    except Exception:  # noqa: BLE001  a name that is not known here, and whatever comes of it
        return None


def _may_go_on_without(node: ast.Try) -> bool:
    caught: set[str | None] = set()
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        caught |= {getattr(kind, "id", "") if kind else None for kind in kinds}
    return bool(caught & CATCHES)
