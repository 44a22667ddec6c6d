"""Route templates: what a path must look like, and the parameters in it (ASP.NET Core routing)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from infra.local.functions_host.definition import CannotStartError, HostInErrorError

GUID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
INT_MOST, LONG_MOST = 2**31, 2**63
# A literal, or {name}, {name:rule(…):rule=default?}; braces in a rule are not known here.
PART = re.compile(r"\{([^{}]*)\}|([^{}]+)")
PARAMETER = re.compile(
    r"(?P<rest>\*{0,2})(?P<name>[^:=?*/]+)(?P<rules>(?::[^=]*?)?)(?P<tail>=.*|\?)?"
)
RULE = re.compile(r":(\w+)(?:\((.*?)\))?(?=:|$)")
# Rules that ASP.NET Core has too, and nobody recorded.
NOT_EMULATED = (
    *("decimal", "double", "file", "float", "max", "maxlength"),
    *("min", "minlength", "nonfile", "required"),
)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number_below(text: str, most: int) -> bool:
    """As .NET reads a number: spaces around it, a sign and leading zeros are fine."""
    return bool(re.fullmatch(r"\s*[+-]?\d+\s*", text)) and -most <= int(text) < most


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: bool(compiled.fullmatch(text))


PLAIN_RULES: Mapping[str, Callable[[str], bool]] = {
    "alpha": _matches(r"[a-z]*"),
    "bool": _matches(r"true|false"),
    "datetime": _is_date,
    "guid": _matches(rf"{GUID}|\{{{GUID}\}}|\({GUID}\)"),
    "int": lambda text: _is_number_below(text, INT_MOST),
    "long": lambda text: _is_number_below(text, LONG_MOST),
}


@dataclass(frozen=True)
class Parameter:
    name: str
    rules: tuple[Callable[[str], bool], ...] = ()
    default: str | None = None
    is_optional: bool = False
    is_rest: bool = False

    @property
    def may_be_absent(self) -> bool:
        return self.is_optional or self.is_rest or self.default is not None

    def accepts(self, value: str) -> bool:
        return bool(value) and all(rule(value) for rule in self.rules)


@dataclass(frozen=True)
class Segment:
    """The part between two slashes: `parts` are literals (in lower case) and parameters."""

    parts: tuple[str | Parameter, ...]
    pattern: re.Pattern[str] = field(repr=False)

    @property
    def alone(self) -> Parameter | None:
        """The parameter that is all there is in the segment."""
        part = self.parts[0]
        return part if len(self.parts) == 1 and isinstance(part, Parameter) else None

    def match(self, text: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(text)
        parameters = [part for part in self.parts if isinstance(part, Parameter)]
        if not found:
            return None
        values = found.groups()
        if not all(one.accepts(value) for one, value in zip(parameters, values, strict=True)):
            return None
        return {one.name: value for one, value in zip(parameters, values, strict=True)}


@dataclass(frozen=True)
class Template:
    segments: tuple[Segment, ...]

    def match(self, path: list[str]) -> dict[str, str] | None:
        """The parameters if the path (decoded, without its first slash) fits as a whole."""
        found: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            alone = segment.alone
            rest = path[index:]
            if alone and alone.is_rest:
                value = "/".join(rest)
                return found | ({alone.name: value} if value else {})
            if not rest or rest == [""]:
                return self._without(index, found)
            values = segment.match(rest[0])
            if values is None:
                return None
            found |= values
        left = path[len(self.segments) :]
        return found if left in ([], [""]) else None  # one trailing slash is ignored

    def _without(self, index: int, found: dict[str, str]) -> dict[str, str] | None:
        """The match of a path that ends before this segment."""
        for segment in self.segments[index:]:
            alone = segment.alone
            if not alone or not alone.may_be_absent:
                return None
            if alone.default is not None:
                found = found | {alone.name: alone.default}
        return found


def parse_template(text: str, function: str) -> Template:
    """The template with this text, the prefix included.

    Raise HostInErrorError when it is broken: one broken template stops the whole host. Raises
    CannotStartError for what ASP.NET Core has and this host has not.
    """
    trimmed = text.removeprefix("/").removesuffix("/")
    texts = trimmed.split("/") if trimmed else []
    if "" in texts:
        raise _broken(text, function, "two slashes follow each other")
    segments = tuple(_segment(part, text, function) for part in texts)
    parameters = [part for one in segments for part in one.parts if isinstance(part, Parameter)]
    names = [one.name.lower() for one in parameters]
    if len(names) != len(set(names)):
        raise _broken(text, function, "a parameter stands in it twice")
    if any(one.is_rest for one in parameters[:-1]) or (
        parameters and parameters[-1].is_rest and not (segments[-1].alone or None)
    ):
        raise _broken(text, function, "a catch-all is not at its end")
    return Template(segments)


def _segment(text: str, template: str, function: str) -> Segment:
    parts: list[str | Parameter] = []
    position = 0
    for match in PART.finditer(text):
        if match.start() != position:
            break
        position = match.end()
        inside, literal = match.groups()
        if literal is None:
            parts.append(_parameter(inside, template, function))
        elif "?" in literal:
            raise _broken(template, function, "a literal holds a question mark")
        else:
            parts.append(literal.lower())
    if position != len(text):
        raise _broken(template, function, "a brace has no partner")
    # The last parameter takes as little as it can: x.y.z is {a}.{b} with x.y and z.
    pattern = "".join("(.+)" if isinstance(part, Parameter) else re.escape(part) for part in parts)
    return Segment(tuple(parts), re.compile(pattern, re.IGNORECASE | re.DOTALL))


def _parameter(text: str, template: str, function: str) -> Parameter:
    match = PARAMETER.fullmatch(text)
    if not match:
        raise _broken(template, function, f"'{text}' is no parameter")
    tail = match["tail"] or ""
    rules = [
        _rule(name, argument, template, function) for name, argument in RULE.findall(match["rules"])
    ]
    return Parameter(
        match["name"],
        tuple(rules),
        default=tail[1:] if tail.startswith("=") else None,
        is_optional=tail == "?",
        is_rest=bool(match["rest"]),
    )


def _rule(name: str, argument: str, template: str, function: str) -> Callable[[str], bool]:
    if name in PLAIN_RULES:
        return PLAIN_RULES[name]
    if name == "regex":
        compiled = re.compile(argument, re.IGNORECASE)
        return lambda text: bool(compiled.search(text))
    if name in {"length", "range"}:
        least, _, most = argument.partition(",")
        bounds = range(int(least), int(most or least) + 1)
        if name == "length":
            return lambda text: len(text) in bounds
        return lambda text: _is_number_below(text, LONG_MOST) and int(text) in bounds
    if name in NOT_EMULATED:
        raise CannotStartError(
            f"The route of the function '{function}' has the constraint '{name}', which this local "
            f"host does not know; it knows {', '.join((*PLAIN_RULES, 'length', 'range', 'regex'))}."
        )
    raise _broken(template, function, f"there is no constraint '{name}'")


def _broken(template: str, function: str, why: str) -> HostInErrorError:
    return HostInErrorError(
        f"An error occurred while creating the route with name '{function}' and template "
        f"'{template}': {why}."
    )
