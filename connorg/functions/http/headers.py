"""The request headers that steer what a function does."""

import re
from dataclasses import dataclass

import azure.functions as func

from connorg.contract.idempotency_key import normalise_idempotency_key
from connorg.functions.http.parameters import Parameter

_LONGEST_WAIT = 100  # seconds
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True)
class Preference:
    """What is made of Prefer (RFC 7240): what is not known or can't be read is ignored."""

    wait: float | None = None
    """Seconds that the caller waits; None: the app's default."""
    applied: tuple[str, ...] = ()
    """What to say of it in Preference-Applied."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Preference-Applied": ", ".join(self.applied)} if self.applied else {}


_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  RFC 9110's word
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ELEMENTS = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PREFERENCE = re.compile(rf"\s*({_TOKEN})(?:\s*=\s*({_TOKEN}|{_QUOTED}))?\s*(?:;.*)?")


def traceparent_of(request: func.HttpRequest) -> str | None:
    """Return the caller's trace; None: there is none that is one (W3C, "Trace Context")."""
    header = request.headers.get("traceparent") or ""
    return header if _TRACEPARENT.fullmatch(header) else None


def _preference(text: str) -> Preference:
    """Read Prefer: `wait=N` bounds the wait, `respond-async` alone means none."""
    told: dict[str, str] = {}
    for element in _ELEMENTS.findall(text):
        if found := _PREFERENCE.fullmatch(element):
            # Of several the first one counts.
            told.setdefault(found[1].lower(), (found[2] or "").strip('"'))
    applied = ["respond-async"] if "respond-async" in told else []
    wait, seconds = told.get("wait", ""), None
    if wait.isascii() and wait.isdigit():
        seconds = min(int(wait[:4]), _LONGEST_WAIT)
        applied.append(f"wait={seconds}")
    elif applied:
        seconds = 0
    return Preference(seconds, tuple(applied))


def _key(text: str) -> str:
    key = normalise_idempotency_key(text)
    if "," in key and not text.strip().startswith('"'):
        # Two headers arrive as one.
        raise ValueError("is sent twice, or holds a comma: then put it in quotes")
    return key


_ETAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'  # RFC 9110, 8.8.3
_ETAGS = re.compile(rf"\*|{_ETAG}(?:\s*,\s*{_ETAG})*")


def _etags(text: str) -> frozenset[str]:
    if not _ETAGS.fullmatch(text.strip()):
        raise ValueError('must be * or an ETag as an answer has it, with its quotes: "abc"')
    return frozenset(re.findall(rf"\*|{_ETAG}", text))


PREFER = Parameter(
    "Prefer",
    "How long to wait for the result: respond-async, or wait=N seconds.",
    {"type": "string", "examples": ["respond-async", "wait=10"]},
    _preference,
    Preference(),
    "header",
)
IDEMPOTENCY_KEY: Parameter[str | None] = Parameter(
    "Idempotency-Key",
    "The same key and body give the same onboarding.",
    {"type": "string", "minLength": 1, "maxLength": 255},
    _key,
    None,
    "header",
)
IF_NONE_MATCH: Parameter[frozenset[str]] = Parameter(
    "If-None-Match",
    "The ETag of the known version.",
    {"type": "string", "minLength": 1},
    lambda header: frozenset(re.findall(r'"[^"]*"', header)),  # a weak one is as good here
    frozenset(),
    "header",
)
IF_MATCH: Parameter[frozenset[str] | None] = Parameter(
    "If-Match",
    "The ETag of the organization as it was read.",
    {"type": "string", "minLength": 1},
    _etags,
    None,
    "header",
)
