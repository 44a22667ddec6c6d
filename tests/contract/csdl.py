"""Just enough of OData's schema language (CSDL) to say whether a value fits Graph's metadata."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_PRIMITIVES = {
    "Edm.String": re.compile(r"(?s).*"),
    "Edm.DateTimeOffset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z"),
}


# v1.0 of the global cloud (Prod), of the US Government (Fairfax) and of China (Mooncake), and one
# beta (USNat): Graph's own, cut down to the types in use here.
SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.csdl.xml"))


def name_of(path: Path) -> str:
    """`v1.0-Prod` and so on."""
    return path.name.partition(".connected")[0]


def version_of(path: Path) -> str:
    return path.name.partition("-")[0]


@dataclass(frozen=True)
class Property:
    type_name: str
    nullable: bool = True

    @property
    def element(self) -> str:
        """What it is, or what it is a collection of, without the namespace's alias."""
        return self.type_name.removeprefix("Collection(").removesuffix(")").removeprefix("graph.")

    @property
    def is_collection(self) -> bool:
        return self.type_name.startswith("Collection(")


@dataclass(frozen=True)
class Function:
    parameters: dict[str, Property]
    returns: Property


@dataclass
class Type:
    base: str | None
    abstract: bool
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, Property] = field(default_factory=dict)


class Schema:
    def __init__(self, path: Path) -> None:
        [schema] = ET.parse(path).iter(f"{_EDM}Schema")  # the project's own file
        self.enums = {
            enum.attrib["Name"]: [member.attrib["Name"] for member in enum.iter(f"{_EDM}Member")]
            for enum in schema.iter(f"{_EDM}EnumType")
        }
        self.types = {
            element.attrib["Name"]: _read_type(element)
            for kind in ("ComplexType", "EntityType")
            for element in schema.iter(_EDM + kind)
        }
        self.functions = {
            function.attrib["Name"]: _read_function(function)
            for function in schema.iter(f"{_EDM}Function")
        }

    def lineage(self, name: str) -> Iterator[str]:
        current: str | None = name
        while current:
            yield current
            current = self.types[current].base

    def properties(self, name: str) -> dict[str, Property]:
        """Structural ones, with what the type inherits."""
        return {
            key: value
            for type_name in self.lineage(name)
            for key, value in self.types[type_name].properties.items()
        }

    def navigations(self, name: str) -> dict[str, Property]:
        return {
            key: value
            for type_name in self.lineage(name)
            for key, value in self.types[type_name].navigations.items()
        }

    def derived(self, name: str) -> set[str]:
        """The concrete types that can stand where ``name`` is declared."""
        return {
            other
            for other, declared in self.types.items()
            if not declared.abstract and name in self.lineage(other)
        }

    def walk(self, start: str, path: str) -> str:
        """The type at the end of a path of navigations. Raise KeyError where there is none."""
        for name in path.split("/"):
            start = self.navigations(start)[name].element
        return start

    def misfits(self, value: Any, declared: Property, where: str) -> Iterator[str]:
        """What is wrong with a value that stands where the metadata declares a property."""
        if value is None:
            if not declared.nullable:
                yield f"{where} is null"
        elif declared.is_collection:
            if not isinstance(value, list):
                yield f"{where} is not a collection"
                return
            for item in value:
                yield from self._misfits_of_one(item, declared.element, f"{where}[]")
        else:
            yield from self._misfits_of_one(value, declared.element, where)

    def _misfits_of_one(self, value: Any, type_name: str, where: str) -> Iterator[str]:
        if type_name in self.types:
            yield from self._misfits_of_object(value, type_name, where)
        elif type_name in self.enums:
            if value not in self.enums[type_name]:
                yield f"{where} {value!r} is no member of {type_name}"
        elif not (isinstance(value, str) and _PRIMITIVES[type_name].fullmatch(value)):
            yield f"{where} {value!r} is not of {type_name}"

    def _misfits_of_object(self, value: Any, declared: str, where: str) -> Iterator[str]:
        type_name = value.get("@odata.type", declared).removeprefix("#")
        type_name = type_name.removeprefix("microsoft.graph.")
        if type_name not in self.derived(declared):
            yield f"{where} is a {type_name}, which is no concrete {declared}"
            return
        members = self.properties(type_name) | self.navigations(type_name)
        for name, item in value.items():
            if name.startswith("@odata."):
                continue
            if name not in members:
                yield f"{where} has a property {name} that {type_name} lacks"
            else:
                yield from self.misfits(item, members[name], f"{where}.{name}")
        for name, member in self.properties(type_name).items():
            if name not in value and not member.nullable:
                yield f"{where} lacks {name}"


def _read_type(element: ET.Element) -> Type:
    base = element.get("BaseType")
    read = Type(base and base.removeprefix("graph."), element.get("Abstract") == "true")
    for kind, members in (("Property", read.properties), ("NavigationProperty", read.navigations)):
        for member in element.iter(_EDM + kind):
            nullable = member.get("Nullable") != "false"
            members[member.attrib["Name"]] = Property(member.attrib["Type"], nullable)
    return read


def _read_function(element: ET.Element) -> Function:
    [returns] = element.iter(f"{_EDM}ReturnType")
    return Function(
        {
            parameter.attrib["Name"]: Property(parameter.attrib["Type"])
            for parameter in element.iter(f"{_EDM}Parameter")
        },
        Property(returns.attrib["Type"]),
    )
