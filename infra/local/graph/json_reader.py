"""JSON as the reader of Microsoft's OData library takes it: laxer than the standard in its quotes,
and with every property of an object, so that one that comes twice is seen."""

import re
from typing import Any, NamedTuple

_NAME = re.compile(r"[\w$@.]*")
_WORD = re.compile(r"[\w.+-]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPED_HEX = re.compile(r"[0-9a-fA-F]{4}")
_UNKNOWN = "A token was not recognized in the JSON content."
_UNFINISHED = (
    "Unexpected end of input was found in JSON content. Not all object and array scopes were "
    "closed."
)


class Object(NamedTuple):
    """The properties in their order, as often as they come."""

    members: tuple[tuple[str, Any], ...]


class JsonError(Exception):
    """In the library's words."""

    def __init__(self, words: str) -> None:
        super().__init__(f"Invalid JSON. {words}")


def read_json(text: str) -> Any:
    """Objects become ``Object``, arrays lists. Raise JsonError."""
    return _Reader(text).whole()


def plain(value: Any) -> Any:
    """As ``json.loads`` would give it; of a repeated property the last."""
    if isinstance(value, Object):
        return {name: plain(member) for name, member in value.members}
    return [plain(item) for item in value] if isinstance(value, list) else value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Any:
        value = self._value()
        if self._next():
            raise JsonError(
                "More than one value was found at the root of the JSON content. JSON content can "
                "only have one value at the root level, which is an array, an object or a primitive"
                " value."
            )
        return value

    def _next(self) -> str:
        """What comes after spaces; empty at the end."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _value(self) -> Any:
        match self._next():
            case "{":
                return Object(tuple(self._members()))
            case "[":
                return self._array()
            case '"' | "'":
                return self._string()
            case _:
                return self._primitive()

    def _primitive(self) -> Any:
        if found := _NUMBER.match(self._text, self._at):
            self._at = found.end()
            is_whole = found[1] is None and found[2] is None
            return int(found[0]) if is_whole else float(found[0])
        word = self._matched(_WORD)
        if word not in _WORDS:
            raise JsonError(_UNKNOWN)
        return _WORDS[word]

    def _matched(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _goes_on(self, closing: str, scope: str, *, is_first: bool) -> bool:
        """Whether there is another element in this object or array, past the comma."""
        following = self._next()
        if not following:
            raise JsonError(_UNFINISHED)
        if following == closing:
            self._at += 1
            return False
        if is_first:
            return True
        if following != ",":
            raise JsonError(
                f"A comma character ',' was expected in scope '{scope}'. Every two elements in an "
                "array and properties of an object must be separated by commas."
            )
        self._at += 1
        if self._next() in {closing, ","}:
            raise JsonError(
                f"An unexpected comma was found in scope '{scope}'. A comma is only valid between "
                "properties of an object or between elements of an array."
            )
        return True

    def _members(self) -> list[tuple[str, Any]]:
        self._at += 1
        found: list[tuple[str, Any]] = []
        while self._goes_on("}", "Object", is_first=not found):
            name = self._string() if self._next() in {'"', "'"} else self._matched(_NAME)
            if not name:
                raise JsonError(
                    "The property name '' is not valid. The name of a property cannot be empty."
                )
            if self._next() != ":":
                raise JsonError(
                    f"A colon character ':' is expected after the property name '{name}', but none "
                    "was found."
                )
            self._at += 1
            found.append((name, self._value()))
        return found

    def _array(self) -> list[Any]:
        self._at += 1
        found: list[Any] = []
        while self._goes_on("]", "Array", is_first=not found):
            found.append(self._value())
        return found

    def _string(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while True:
            letter = self._text[self._at : self._at + 1]
            if not letter:
                raise JsonError(
                    "Unexpected end of input reached while processing a JSON string value."
                )
            self._at += 1
            if letter == quote:
                # Half a surrogate pair is no character.
                whole = "".join(parts).encode("utf-16", "surrogatepass")
                return whole.decode("utf-16", "replace")
            parts.append(self._escaped() if letter == "\\" else letter)

    def _escaped(self) -> str:
        letter = self._text[self._at : self._at + 1]
        self._at += 1
        if letter == "u" and _ESCAPED_HEX.match(self._text, self._at):
            self._at += 4
            return chr(int(self._text[self._at - 4 : self._at], 16))
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter and letter in "\"'\\/":
            return letter
        raise JsonError(
            f"An unrecognized escape sequence '\\{letter}' was found in a JSON string value."
        )
