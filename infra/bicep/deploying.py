"""A deployment without Azure: which resources a template makes from given parameters."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tree_sitter import Node

from infra.bicep.evaluating import Evaluator
from infra.bicep.functions import Place
from infra.bicep.syntax import (
    BicepError,
    Declaration,
    Parameter,
    Template,
    read,
)
from infra.bicep.types import Types
from infra.bicep.values import (
    Symbol,
    Unknown,
    Value,
    as_json,
    expression,
    is_known,
)

_BICEPS_OWN = {"name", "parent", "scope", "dependsOn"}


@dataclass(frozen=True)
class Resource:
    template: str
    symbol: str
    kind: str
    """The type with its version: Microsoft.Storage/storageAccounts@2024-01-01."""
    id: Value
    name: Value
    """With the names of its parents before it, as Azure Resource Manager has it."""
    body: dict[str, Value]
    existing: bool
    batch_size: int | None = None
    """Of a loop, how many are made at a time; None: all."""

    @property
    def type_name(self) -> str:
        return self.kind.partition("@")[0]

    @property
    def properties(self) -> dict[str, Value]:
        return dict(self.body["properties"])

    @property
    def as_json(self) -> dict[str, Value]:
        """As a snapshot has it."""
        type_name, _, version = self.kind.partition("@")
        said = {key: value for key, value in self.body.items() if key not in _BICEPS_OWN}
        told = {"id": self.id, "type": type_name, "name": self.name, "apiVersion": version}
        return dict(as_json({**said, **told}))

    def __str__(self) -> str:
        return f"{self.template}/{self.symbol}"


@dataclass
class Deployment:
    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)

    def of_type(self, type_name: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type_name == type_name]

    def only(self, type_name: str) -> Resource:
        [resource] = self.of_type(type_name)
        return resource


def deploy(path: Path, parameters: Mapping[str, Value], place: Place | None = None) -> Deployment:
    """Raise BicepError where a compiler or Azure would refuse it."""
    return _Deploying(read(path), parameters, place or Place()).run()


class _Deploying:
    def __init__(self, template: Template, parameters: Mapping[str, Value], place: Place) -> None:
        self._template = template
        self._given = parameters
        self._place = place
        self._evaluator = Evaluator(template.path, place, self._lookup)
        self._known: dict[str, Value] = {}
        self._deployment = Deployment()

    def run(self) -> Deployment:
        template = self._template
        for name in self._given:
            if name not in template.parameters:
                raise BicepError(f"{template.path.name} has no parameter {name}")
        for name in [*template.parameters, *template.resources, *template.modules]:
            self._lookup(name)
        for name, (wanted, node) in template.outputs.items():
            value = self._evaluator.value(node)
            self._check(value, wanted, {}, f"output {name}")
            self._deployment.outputs[name] = value
        return self._deployment

    def _lookup(self, name: str) -> Value:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Value:
        template = self._template
        if name in template.parameters:
            return self._parameter(name, template.parameters[name])
        if name in template.variables:
            return self._evaluator.value(template.variables[name])
        if name in template.resources:
            return self._declared(template.resources[name], self._resource)
        return self._declared(template.modules[name], self._module)

    def _parameter(self, name: str, parameter: Parameter) -> Value:
        if name in self._given:
            value = self._given[name]
        elif parameter.default is None:
            raise BicepError(f"{self._template.path.name}: parameter {name} is not given")
        else:
            value = self._evaluator.value(parameter.default)
        self._check(value, parameter.type, parameter.decorators, f"parameter {name}")
        return value

    def _check(
        self, value: Value, wanted: Node, decorators: Mapping[str, list[Node]], what: str
    ) -> None:
        types = Types(self._template.types, self._evaluator.value)
        for fault in types.faults(value, wanted, decorators, what):
            raise BicepError(f"{self._template.path.name}: {fault}")

    def _declared(self, declaration: Declaration, make: "_Make") -> Value:
        value = declaration.value
        if value.type == "for_statement":
            return [make(declaration, inner, body) for inner, body in self._evaluator.rounds(value)]
        if value.type == "if_statement":
            condition, body = value.named_children
            if self._evaluator.value(condition) is not True:
                return None
            return make(declaration, self._evaluator, body)
        return make(declaration, self._evaluator, value)

    def _resource(self, declaration: Declaration, evaluator: Evaluator, body: Node) -> Symbol:
        values = evaluator.value(body)
        own = values.get("name", values.get("uniqueName", values.get("appId", "")))
        name, resource_id = self._named(declaration.kind.partition("@")[0], own, values)
        made = Resource(
            self._template.path.stem,
            declaration.symbol,
            declaration.kind,
            resource_id,
            name,
            values,
            declaration.existing,
            self._batch_size(declaration),
        )
        self._deployment.resources.append(made)
        return Symbol(declaration.symbol, declaration.kind, name, resource_id)

    def _named(self, kind: str, own: Value, values: Mapping[str, Value]) -> tuple[Value, Value]:
        """Return the whole name of a resource, and its id."""
        parent, scope = values.get("parent"), values.get("scope")
        if kind == "Microsoft.Resources/resourceGroups":
            return own, f"{self._place.subscription}/resourceGroups/{own}"
        if isinstance(scope, Symbol):
            inside = f"{scope.id}/providers/{kind}"
            words = ", ".join(map(expression, [scope.id, kind, own]))
            known = is_known(own)
            return own, f"{inside}/{own}" if known else Unknown(f"extensionResourceId({words})")
        if not isinstance(parent, Symbol):
            return own, self._place.resource_id(kind, own)
        if is_known(parent.name):
            return f"{parent.name}/{own}", f"{parent.id}/{kind.rpartition('/')[2]}/{own}"
        name = f"format('{{0}}/{{1}}', {expression(parent.name)}, {expression(own)})"
        parts = f"filter(split({name}, '/'), lambda('x', not(empty(lambdaVariables('x')))))"
        names = (Unknown(f"{parts}[0]"), Unknown(f"{parts}[1]"))  # as the real engine writes it
        return Unknown(name), self._place.resource_id(kind, *names)

    def _batch_size(self, declaration: Declaration) -> int | None:
        size = declaration.decorators.get("batchSize")
        return self._evaluator.value(size[0]) if size else None

    def _module(self, declaration: Declaration, evaluator: Evaluator, body: Node) -> Value:
        values = evaluator.value(body)
        path = self._template.path.parent / declaration.kind
        group = values["scope"].name if "scope" in values else self._place.group
        place = replace(self._place, group=group)
        made = _Deploying(read(path), values["params"], place).run()
        self._deployment.resources += made.resources
        return {"outputs": made.outputs}


type _Make = Callable[[Declaration, Evaluator, Node], Value]


def modules_of(path: Path) -> Iterator[Path]:
    """Every file that a template is made of, itself first."""
    yield path
    for module in read(path).modules.values():
        yield from modules_of((path.parent / module.kind).resolve())
