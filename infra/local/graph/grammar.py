"""OData's expressions, read as Microsoft's OData library reads them: into trees, or refused.

The rules and the words of the refusals are those of its ``ExpressionLexer`` and
``UriQueryExpressionParser``. It reads a token at a time, so what comes first is refused first.
What the names mean is not known here: ``binding`` looks them up.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal as OneOf

from infra.local.graph.errors import GraphError, not_emulated
from infra.local.graph.values import ticks

_DEEPEST = 88  # The library counts 9 steps for each parenthesis, and takes 800.
_LARGEST_INT32 = 2**31 - 1
_LARGEST_INT64 = 2**63 - 1
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?=[,)\s]|$)")
_INSTANT = re.compile(r"\d{4}-\d\d?-\d\d?T\d\d?:\d\d[^,) ]*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?[mMdDlLfF]?")
_INTEGER = re.compile(r"-?\d+")
_IDENTIFIER_CATEGORIES = frozenset({"Nl", "Mn", "Mc", "Nd", "Pc", "Cf"})
_CLOSING = {"(": ")", "[": "]"}
_LITERAL_PREFIXES = frozenset({"duration", "binary", "geography", "geometry"})

type TokenKind = OneOf[
    "identifier",
    "quoted",
    "alias",
    "list",
    "string",
    "number",
    "guid",
    "date",
    "instant",
    "word",
    "symbol",
    "end",
]


@dataclass(frozen=True, slots=True)
class Token:
    """``quoted`` is a word with a string at its end; ``word`` is true, false or null."""

    kind: TokenKind
    text: str
    position: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "identifier" and self.text.lower() in words


# The trees


@dataclass(frozen=True, slots=True)
class Constant:
    """``type_name`` is None for null; ``text`` is as it was written."""

    text: str
    type_name: str | None
    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Values:
    """The values behind ``in``."""

    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    parent: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Dotted:
    """A type's name, or an enumeration's value with its type in front."""

    name: str
    parent: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Count:
    parent: "Node"


@dataclass(frozen=True, slots=True)
class Quantified:
    """``any`` or ``all``; ``variable`` is None where there is nothing in the parentheses."""

    is_any: bool
    parent: "Node"
    variable: str | None
    predicate: "Node | None"


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: "tuple[Node, ...]"
    parent: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """``operator`` is one of ``OPERATORS``."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class In:
    left: "Node"
    right: "Node"


type Node = Constant | Values | Name | Dotted | Count | Quantified | Call | Not | Binary | In

# The library's own words for them.
OPERATORS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
    "and": "And",
    "or": "Or",
    "has": "Has",
}
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_ARITHMETIC = ("add", "sub", "mul", "div", "divby", "mod")

_QUERY_REFUSED = "The query specified in the URI is not valid. "


def query_refused(words: str) -> GraphError:
    return GraphError(400, "BadRequest", _QUERY_REFUSED + words)


class RefusedError(Exception):
    """What the library says of an expression, without what a service puts in front."""


class Lexer:
    """Holds the token that is up, and reads the next one when it is asked to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._at = 0
        self.token = Token("end", "", 0, 0)
        self.next()

    def next(self) -> None:
        self.token = self._read(self.token)

    def peek(self) -> Token:
        before = self._at
        found = self._read(self.token)
        self._at = before
        return found

    def at(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def expect(self, symbol: str) -> None:
        """Raise RefusedError unless this token is next, and continue."""
        if not self.at(symbol):
            raise self.syntax_error()
        self.next()

    def expect_end(self) -> None:
        if self.token.kind != "end":
            raise self.syntax_error()

    def identifier(self) -> str:
        if self.token.kind != "identifier":
            raise RefusedError(f"An identifier was expected at position {self.token.position}.")
        return self.token.text

    def dotted(self) -> str:
        """Reads on over the whole of a name with dots; the last part may have a string."""
        name = self.token.text
        self.next()
        while self.at("."):
            self.next()
            if self.token.kind not in {"identifier", "quoted"}:
                raise self.syntax_error()
            name += f".{self.token.text}"
            self.next()
        return name

    def syntax_error(self) -> RefusedError:
        return RefusedError(f"Syntax error at position {self.token.end} in '{self.text}'.")

    def expected(self, what: str) -> RefusedError:
        return RefusedError(f"{what} expected at position {self.token.position} in '{self.text}'.")

    def _read(self, before: Token) -> Token:
        while self._peek().isspace():
            self._at += 1
        start = self._at
        kind = self._scan(before)
        return Token(kind, self.text[start : self._at], start, self._at)

    def _peek(self) -> str:
        return self.text[self._at : self._at + 1]

    def _scan(self, before: Token) -> TokenKind:
        first = self._peek()
        if not first:
            return "end"
        if first == "[" or (first == "(" and before.is_word("in")):
            return self._scan_list(first)
        if first == "'":
            self._scan_string("There is an unterminated string literal")
            return "string"
        if first.isdigit() or _INTEGER.match(self.text, self._at):
            return self._scan_number()
        if first == "@":
            return self._scan_alias()
        if _starts_identifier(first):
            return self._scan_identifier()
        if first not in "(),-=/?.*:;":
            raise RefusedError(
                f"Syntax error: character '{first}' is not valid at position {self._at} in "
                f"'{self.text}'."
            )
        self._at += 1
        return "symbol"

    def _scan_string(self, words: str) -> None:
        """From its first quote to behind its last; a doubled one is one quote."""
        while self._peek() == "'":
            end = self.text.find("'", self._at + 1)
            if end < 0:
                raise RefusedError(f"{words} at position {len(self.text)} in '{self.text}'.")
            self._at = end + 1

    def _scan_list(self, opening: str) -> TokenKind:
        depth = 0
        while self._peek():
            if self._peek() == "'":
                self._scan_string("There is an unterminated string literal")
                continue
            depth += {opening: 1, _CLOSING[opening]: -1}.get(self._peek(), 0)
            self._at += 1
            if depth == 0:
                return "list"
        raise RefusedError("Found an unbalanced bracket expression.")

    def _scan_number(self) -> TokenKind:
        if found := _DATE.match(self.text, self._at):
            self._at = found.end()
            return "date"
        if found := _INSTANT.match(self.text, self._at):
            self._at = found.end()
            return "instant"
        if found := _GUID.match(self.text, self._at):
            self._at = found.end()
            return "guid"
        if found := _NUMBER.match(self.text, self._at):
            self._at = found.end()
        return "number"

    def _scan_alias(self) -> TokenKind:
        self._at += 1
        if not _starts_identifier(self._peek()):
            raise RefusedError(
                f"Syntax error: character '{self._peek()}' is not valid at position {self._at} in "
                f"'{self.text}'."
            )
        start = self._at
        while _continues_identifier(self._peek()) or self._peek() == ".":
            self._at += 1
        return "identifier" if "." in self.text[start : self._at] else "alias"

    def _scan_identifier(self) -> TokenKind:
        if found := _GUID.match(self.text, self._at):
            self._at = found.end()
            return "guid"
        start = self._at
        self._at += 1
        while _continues_identifier(self._peek()):
            self._at += 1
        if self._peek() == "'":
            self._scan_string("There is an unterminated literal")
            return "quoted"
        is_word = self.text[start : self._at] in {"true", "false", "null"}
        return "word" if is_word else "identifier"


def _starts_identifier(letter: str) -> bool:
    return bool(letter) and (letter.isalpha() or letter in "_$")


def _continues_identifier(letter: str) -> bool:
    return bool(letter) and (
        letter.isalpha() or letter in "_$" or unicodedata.category(letter) in _IDENTIFIER_CATEGORIES
    )


class Parser:
    """``aliases`` are the values of ``@name`` in the query."""

    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self.lexer = Lexer(text)
        self._aliases = aliases
        self._variables: set[str] = set()
        self._depth = 0

    def whole(self) -> Node:
        node = self.expression()
        self.lexer.expect_end()
        return node

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RefusedError("Recursion depth exceeded allowed limit.")
        node = self._chain(lambda: self._chain(self._comparison, ("and",)), ("or",))
        self._depth -= 1
        return node

    def _comparison(self) -> Node:
        return self._chain(self._unary, _COMPARISONS)

    def _chain(self, operand: Callable[[], Node], operators: tuple[str, ...]) -> Node:
        left = operand()
        while self.lexer.token.is_word(*operators):
            operator = self.lexer.token.text.lower()
            self.lexer.next()
            left = Binary(operator, left, operand())
        if self.lexer.token.is_word(*_ARITHMETIC):
            raise not_emulated("Arithmetic in an expression")
        return left

    def _unary(self) -> Node:
        if self.lexer.at("-"):
            raise not_emulated("A minus sign in an expression")
        if self.lexer.token.is_word("not"):
            self.lexer.next()
            return Not(self._unary())
        node = self._primary()
        while self.lexer.token.is_word("in", "has"):
            is_in = self.lexer.token.is_word("in")
            self.lexer.next()
            right = self._primary()
            node = In(node, right) if is_in else Binary("has", node, right)
        return node

    def _primary(self) -> Node:
        node = self._start()
        while self.lexer.at("/"):
            self.lexer.next()
            node = self._segment(node)
        return node

    def _start(self) -> Node:
        token = self.lexer.token
        if token.kind == "identifier":
            return self._named(None)
        if self.lexer.at("("):
            return self._in_parentheses()
        if token.kind == "alias":
            self.lexer.next()
            return self._alias(token.text)
        if token.kind == "list":
            self.lexer.next()
            return Values(_items(token.text))
        if token.kind in {"end", "symbol"}:
            raise self.lexer.expected("Expression")
        self.lexer.next()
        return _constant(token, self.lexer.text)

    def _alias(self, name: str) -> Node:
        """One that has no value is null."""
        if name not in self._aliases:
            return Constant("null", None, None)
        return Parser(self._aliases[name], {}).whole()

    def _in_parentheses(self) -> Node:
        self.lexer.next()
        node = self.expression()
        if not self.lexer.at(")"):
            raise self.lexer.expected("')' or operator")
        self.lexer.next()
        return node

    def _segment(self, parent: Node) -> Node:
        token = self.lexer.token
        if token.text.lower() == "$count":
            self.lexer.next()
            return Count(parent)
        if token.is_word("any", "all"):
            return self._quantified(parent, is_any=token.is_word("any"))
        if token.kind == "symbol" and token.text == "*":
            raise not_emulated("A star in a path")
        return self._named(parent)

    def _named(self, parent: Node | None) -> Node:
        token = self.lexer.token
        if token.kind != "identifier":
            raise self.lexer.syntax_error()
        following = self.lexer.peek()
        if following.kind == "symbol" and following.text == ".":
            name = self.lexer.dotted()
            if self.lexer.at("("):
                return Call(name, self._arguments(), parent)
            return Dotted(name, parent)
        self.lexer.next()
        if self.lexer.at("("):
            return Call(token.text, self._arguments(), parent)
        return Name(token.text, parent)

    def _arguments(self) -> tuple[Node, ...]:
        self.lexer.next()
        found: list[Node] = []
        if not self.lexer.at(")"):
            found.append(self.expression())
            while self.lexer.at(","):
                self.lexer.next()
                found.append(self.expression())
        self._close()
        return tuple(found)

    def _quantified(self, parent: Node, *, is_any: bool) -> Node:
        self.lexer.next()
        if not self.lexer.at("("):
            raise self.lexer.expected("'('")
        self.lexer.next()
        if self.lexer.at(")"):
            self.lexer.next()
            return Quantified(is_any, parent, None, None)
        variable = self.lexer.identifier()
        if variable in self._variables:
            raise RefusedError(f"The range variable '{variable}' has already been declared.")
        self._variables.add(variable)
        self.lexer.next()
        self.lexer.expect(":")
        predicate = self.expression()
        self._close()
        self._variables.remove(variable)
        return Quantified(is_any, parent, variable, predicate)

    def _close(self) -> None:
        if not self.lexer.at(")"):
            raise self.lexer.expected("')' or ','")
        self.lexer.next()


def parse(text: str, aliases: Mapping[str, str]) -> Node:
    """Raise RefusedError, or GraphError 501 for what is not emulated."""
    return Parser(text, aliases).whole()


def parse_order(text: str, aliases: Mapping[str, str]) -> list[tuple[Node, bool]]:
    """Of ``$orderby``: each expression, and whether it is descending. Raise as ``parse``."""
    parser = Parser(text, aliases)
    lexer = parser.lexer
    found: list[tuple[Node, bool]] = []
    while True:
        node = parser.expression()
        found.append((node, lexer.token.is_word("desc")))
        if lexer.token.is_word("asc", "desc"):
            lexer.next()
        if not lexer.at(","):
            lexer.expect_end()
            return found
        lexer.next()


def parse_named(text: str, aliases: Mapping[str, str]) -> list[tuple[str | None, Node]]:
    """Of ``('x')``, ``(id='x')`` or ``domainName='x'``: the values, with their names where they
    have any. Raise as ``parse``."""
    parser = Parser(text, aliases)
    lexer = parser.lexer
    is_enclosed = lexer.at("(")
    if is_enclosed:
        lexer.next()
    found: list[tuple[str | None, Node]] = []
    while lexer.token.kind != "end" and not lexer.at(")"):
        name = None
        if lexer.token.kind == "identifier" and lexer.peek().text == "=":
            name = lexer.token.text
            lexer.next()
            lexer.next()
        found.append((name, parser.expression()))
        if not lexer.at(","):
            break
        lexer.next()
    if is_enclosed:
        lexer.expect(")")
    lexer.expect_end()
    return found


def _items(text: str) -> tuple[Node, ...]:
    """Of a list in parentheses or brackets."""
    inside = text[1:-1].strip()
    if not inside:
        return ()
    parser = Parser(inside, {})
    found = [parser.expression()]
    while parser.lexer.at(","):
        parser.lexer.next()
        found.append(parser.expression())
    parser.lexer.expect_end()
    return tuple(found)


def _constant(token: Token, text: str) -> Node:
    match token.kind:
        case "string":
            value = token.text[1:-1].replace("''", "'")
            return Constant(token.text, "Edm.String", value)
        case "word":
            value_of = {"true": True, "false": False, "null": None}
            type_name = None if token.text == "null" else "Edm.Boolean"
            return Constant(token.text, type_name, value_of[token.text])
        case "number":
            return _number(token)
        case "quoted":
            return _quoted(token, text)
        case "guid":
            return Constant(token.text, "Edm.Guid", token.text)
        case "date":
            return Constant(token.text, "Edm.Date", token.text)
        case _:
            return _instant(token.text)


def _instant(text: str) -> Node:
    try:
        ticks(text)
    except ValueError:
        raise RefusedError(
            f"The DateTimeOffset text '{text}' should be in format "
            "'yyyy-mm-ddThh:mm:ss('.'s+)?(zzzzzz)?' and each field value is within valid range."
        ) from None
    return Constant(text, "Edm.DateTimeOffset", text)


def _number(token: Token) -> Node:
    if not _INTEGER.fullmatch(token.text) or abs(int(token.text)) > _LARGEST_INT64:
        raise not_emulated(f"The number {token.text} in an expression")
    value = int(token.text)
    is_small = -_LARGEST_INT32 - 1 <= value <= _LARGEST_INT32
    return Constant(token.text, "Edm.Int32" if is_small else "Edm.Int64", value)


def _quoted(token: Token, text: str) -> Node:
    if token.text.partition("'")[0].lower() in _LITERAL_PREFIXES:
        raise not_emulated(f"The literal {token.text}")
    raise RefusedError(
        f"Unrecognized 'Edm.String' literal '{token.text}' at '{token.position}' in '{text}'."
    )
