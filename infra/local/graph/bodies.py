"""What a caller writes, read by the model as Microsoft's OData library reads it, or refused in its
words. Of what Graph asks of an organization nothing is known here: see ``drafts``."""

import codecs
import re
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any

from infra.local.graph.errors import GraphError, not_emulated
from infra.local.graph.json_reader import JsonError, Object, read_json
from infra.local.graph.model import DATE_TIME, STRING, Model, Property, Type
from infra.local.graph.values import ticks

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d))?"
)
_CHARSETS = frozenset({"utf-8", "utf-16"})
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Those of an answer, which a request has not.
_OF_ANSWERS = frozenset({"odata.count", "odata.nextLink", "odata.deltaLink"})
_SUFFIX = (
    "Make sure to only use property names that are defined by the type or mark the type as open "
    "type."
)


def refused(words: str) -> GraphError:
    """The code is the one that Graph gives such a refusal in public reports."""
    return GraphError(400, "RequestBodyRead", words)


def read_body(content: bytes, content_type: str | None) -> Any:
    """The JSON of a request. Raise GraphError."""
    charset = _charset(content_type)
    if not content:
        raise refused("A non-empty request body is required.")
    text = _decoded(content, charset)
    if not text.strip():
        raise _unexpected("EndOfInput", "StartObject")
    try:
        return read_json(text)
    except JsonError as error:
        raise refused(str(error)) from None


def _charset(content_type: str | None) -> str | None:
    if not content_type:
        raise refused(
            "A missing or empty content type header was found when trying to read a message. The "
            "content type header is required."
        )
    header = Message()
    header["Content-Type"] = content_type
    media_type = content_type.partition(";")[0].strip()
    if "," in content_type:
        raise refused(
            f"The specified content type '{content_type}' contains either no media type or more "
            "than one media type, which is not allowed. You must specify exactly one media type as "
            "the content type."
        )
    if "*" in media_type:
        raise refused(
            f"The wildcard '*' was detected in the value '{media_type}' of the content type header."
            " The value of the content type header cannot contain wildcards."
        )
    if "/" not in media_type:
        raise refused(f"The MIME type '{media_type}' is invalid or unspecified.")
    if media_type.startswith("multipart/"):
        raise not_emulated(f"A body of type {media_type}")
    if media_type.lower() != "application/json":
        supported = ", ".join(["Microsoft.OData.ODataMediaType"] * 36)
        raise refused(
            "A supported MIME type could not be found that matches the content type of the "
            f"response. None of the supported type(s) '{supported}' matches the content type "
            f"'{media_type}'."
        )
    charset = header.get_content_charset()
    if charset is not None and charset not in _CHARSETS:
        raise GraphError(415, "UnsupportedMediaType", f"The charset '{charset}' is not supported.")
    return charset


def _decoded(content: bytes, charset: str | None) -> str:
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if charset == "utf-16":
        return content.decode("utf-16-le", "replace")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise refused(
            f"Unable to translate bytes [{content[error.start]:02X}] at index {error.start} from "
            "specified code page to Unicode."
        ) from None


def read_entity(model: Model, type_name: str, value: Any) -> dict[str, Any]:
    """The properties that were sent, in the model's letters. Navigation properties keep what was
    sent for them, which is not read. Raise GraphError."""
    return _Reading(model, type_name, _object(value)).read()


def _object(value: Any) -> Object:
    if not isinstance(value, Object):
        raise _unexpected(_node(value), "StartObject")
    return value


class _Reading:
    """One object being read: an entity, or a complex value."""

    def __init__(self, model: Model, type_name: str, value: Object) -> None:
        self._model = model
        self._expected = model.types[type_name]
        self._members = value.members
        self._type = self._expected
        self._read: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        self._type = self._actual_type()
        for name, value in self._members:
            if name.startswith("@"):
                _check_annotation(name, value)
            elif "@" in name:
                self._annotate(name, value)
            elif "." in name:
                raise _unexpected_annotation(name)
            else:
                self._take(name, value)
        if self._type.abstract:
            raise refused(
                f"Cannot dynamically create an instance of type '{self._type.name}'. Reason: Cannot"
                " create an abstract class."
            )
        if self._type.kind == "Complex":
            return {"@odata.type": f"#{self._type.name}", **self._read}
        return self._read

    def _actual_type(self) -> Type:
        for name, value in self._members:
            if name in {"@odata.type", "@type"}:
                return self._resolved(_type_name(value))
        return self._expected

    def _resolved(self, name: str) -> Type:
        found = self._model.find_exactly(name)
        if found is None:
            raise refused(
                f"A type named '{name}' could not be resolved by the model. When a model is "
                "available, each type name must resolve to a valid type."
            )
        expected = self._expected
        if found.kind != expected.kind:
            raise refused(
                f"Incompatible type kinds were found. The type '{found.name}' was found to be of "
                f"kind '{found.kind}' instead of the expected kind '{expected.kind}'."
            )
        if not self._model.is_a(found.name, expected.name):
            raise refused(
                f"A resource with type '{found.name}' was found, but it is not assignable to the "
                f"expected type '{expected.name}'. The type specified in the resource must be equal"
                " to either the expected type or a derived type."
            )
        return found

    def _known(self, name: str) -> Property:
        known = self._model.property(self._type.name, name)
        if known is None:
            raise refused(
                f"The property '{name}' does not exist on type '{self._type.name}'. {_SUFFIX}"
            )
        return known

    def _annotate(self, name: str, value: Any) -> None:
        """What says something of a property."""
        property_name, _, annotation = name.partition("@")
        known = self._known(property_name)
        if known.is_navigation:
            self._read[known.name] = value
        elif annotation == "odata.type":
            self._check_type(known, value)
        elif annotation.startswith("odata."):
            raise not_emulated(f"The annotation {name}")
        elif known.name in self._read:
            raise refused(
                f"An annotation with name '{annotation}' for property '{property_name}' was "
                "detected after the property, or after an annotation for another property. In "
                "OData, annotations for a property must be in a single group and must appear before"
                " the property they annotate."
            )

    def _check_type(self, known: Property, value: Any) -> None:
        said = str(value).removeprefix("#")
        said = said if "." in said else f"Edm.{said}"
        if not known.is_collection and said != known.type_name:
            raise refused(
                "A value was encountered that has a type name that is incompatible with the "
                f"metadata. The value specified its type as '{said}', but the type specified in"
                f" the metadata is '{known.type_name}'."
            )

    def _take(self, name: str, value: Any) -> None:
        known = self._known(name)
        if known.is_navigation:
            self._read.setdefault(known.name, value)
            return
        if known.name in self._read:
            raise refused(
                f"Multiple properties with the name '{known.name}' were detected in a resource or a"
                " complex value. In OData, duplicate property names are not allowed."
            )
        self._read[known.name] = self._value(known, value)

    def _value(self, known: Property, value: Any) -> Any:
        if known.is_collection:
            return [
                None if item is None else self._complex(known, item)
                for item in _collection(known, value)
            ]
        if value is None:
            if not known.nullable and known.name != "id":
                raise _null(known.name, f"{known.type_name}[Nullable=False]", "does not allow")
            return None
        if self._model.types[known.type_name].kind == "Enum":
            return _enumerated(self._model.types[known.type_name], value)
        return _PRIMITIVES[known.type_name](known, value)

    def _complex(self, known: Property, value: Any) -> dict[str, Any]:
        if not isinstance(value, Object):
            held = "Microsoft.AspNetCore.OData.Formatter.Value.EdmUntypedCollection"
            if not isinstance(value, list):
                held = f"System.{_primitive_name(value).removeprefix('Edm.')}"
            raise refused(f"Unable to cast object of type '{held}' to type '{known.type_name}'.")
        return _Reading(self._model, known.type_name, value).read()


def _collection(known: Property, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if value is None or isinstance(value, Object):
        expected = f"Collection({known.type_name})[Nullable=True]"
        raise refused(
            f"A null value was found for the property named '{known.name}', which has the expected "
            f"type '{expected}'. The expected type '{expected}' cannot be null but it can have "
            "null values."
        )
    raise refused(
        "A 'PrimitiveValue' node with non-null value was found when trying to read the value of the"
        f" property '{known.name}'; however, a 'StartArray' node, a 'StartObject' node, or a "
        "'PrimitiveValue' node with null value was expected."
    )


def _type_name(value: Any) -> str:
    if value is None:
        raise refused(
            "The 'odata.type' instance annotation value '' is not a valid type name. The value of "
            "the 'odata.type' instance annotation must be a non-empty string."
        )
    return _quoted(value).removeprefix("#")


def _quoted(value: Any, name: str | None = None) -> str:
    """A string that has to be one. ``name`` is of what it is the value."""
    if isinstance(value, list | Object):
        raise _unexpected(_node(value), "PrimitiveValue")
    if not isinstance(value, str):
        where = f" for the property '{name}'" if name else ""
        raise refused(f"Cannot read the value '{value}'{where} as a quoted JSON string value.")
    return value


def _check_annotation(name: str, value: Any) -> None:
    """Of the object itself: most are taken and mean nothing."""
    annotation = name.removeprefix("@")
    if annotation in _OF_ANSWERS:
        raise refused(
            f"The annotation '{annotation}' was found. This annotation is either not recognized or "
            "not expected at the current position."
        )
    if annotation == "odata.removed":
        raise not_emulated(f"The annotation {name}")
    if annotation == "odata.context":
        _quoted(value)


def _unexpected_annotation(name: str) -> GraphError:
    return refused(
        f"An unexpected instance annotation name '{name}' was found when reading from the JSON "
        "reader, In OData, Instance annotation name must start with @."
    )


def _node(value: Any) -> str:
    if isinstance(value, Object):
        return "StartObject"
    return "StartArray" if isinstance(value, list) else "PrimitiveValue"


def _unexpected(found: str, expected: str) -> GraphError:
    return refused(
        f"An unexpected '{found}' node was found when reading from the JSON reader. A '{expected}' "
        "node was expected."
    )


def _null(name: str, expected: str, does: str) -> GraphError:
    return refused(
        f"A null value was found for the property named '{name}', which has the expected type "
        f"'{expected}'. The expected type '{expected}' {does} null values."
    )


# Primitive values


def _primitive_name(value: Any) -> str:
    if isinstance(value, bool):
        return "Edm.Boolean"
    if isinstance(value, int):
        return "Edm.Int32"
    return "Edm.String" if isinstance(value, str) else "Edm.Decimal"


def _primitive(known: Property, value: Any) -> Any:
    if isinstance(value, list):
        raise _unexpected("StartArray", "PrimitiveValue")
    if isinstance(value, Object):
        raise refused(
            f"An unexpected 'StartObject' node was found for property named '{known.name}' when "
            "reading from the JSON reader. A 'PrimitiveValue' node was expected."
        )
    if not isinstance(value, str):
        raise _unconvertible(known, value)
    return value


def _unconvertible(known: Property, value: Any) -> GraphError:
    return refused(
        f"Cannot convert the literal '{value}' to the expected type '{known.type_name}'."
    )


def _instant(known: Property, value: Any) -> str:
    text: str = _primitive(known, value)
    if not _INSTANT.fullmatch(text):
        raise _unconvertible(known, text)
    try:
        ticks(text)
    except ValueError:
        raise _unconvertible(known, text) from None
    return text


def _enumerated(known: Type, value: Any) -> str:
    text = _quoted(value)
    if text.isdecimal():
        for name, number in known.members.items():
            if number == int(text):
                return name
    if text.isdecimal() or "," in text:
        raise not_emulated(f"'{text}' as a value of {known.name}")
    if not text:
        raise refused(
            "Must specify valid information for parsing in the string. (Parameter 'value')"
        )
    if text not in known.members:
        raise refused(f"Requested value '{text}' was not found.")
    return text


_PRIMITIVES: Mapping[str, Callable[[Property, Any], Any]] = {
    STRING: _primitive,
    DATE_TIME: _instant,
}


# References


def read_reference(value: Any) -> str:
    """The absolute address in ``@odata.id``. Raise GraphError."""
    found: list[str] = []
    for name, member in _object(value).members:
        if name in {"@odata.id", "@id"}:
            found.append(_address(member))
        elif name == "@odata.type":
            raise refused(
                "A property with name 'odata.type' was found when reading an entity reference link."
                " No properties other than the entity reference link property with name 'odata.id' "
                "are allowed."
            )
        elif not name.startswith("@"):
            raise _beside_a_reference(name)
    if len(found) > 1:
        raise refused(
            "Multiple 'odata.id' properties were found in an entity reference link object; however,"
            " a single 'odata.id' property was expected."
        )
    if not found:
        raise refused(
            "The required property 'odata.id' for an entity reference link was not found."
        )
    return found[0]


def _beside_a_reference(name: str) -> GraphError:
    if "." in name and "@" not in name:
        return _unexpected_annotation(name)
    return refused(
        f"An instance annotation with name '{name}' or a property annotation for the property with "
        f"name '{name}' was found when reading an entity reference link. No OData property or "
        "instance annotations are allowed when reading entity reference links."
    )


def _address(value: Any) -> str:
    if value is None:
        raise refused(
            "The 'odata.id' property of an entity reference link object cannot have a null value."
        )
    address = _quoted(value, "odata.id")
    if not _ABSOLUTE.match(address):
        raise refused(
            f"A relative URI value '{address}' was specified in the payload, but the odata.context "
            "annotation is missing from the payload. The payload must only contain absolute URIs or"
            " the odata.context annotation must be on the payload."
        )
    return address
