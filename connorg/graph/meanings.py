"""The one table of what Graph's answers mean: by call, status, code and words.

The first row that fits counts. A row says what the answer means for the work, and how far it
reaches: a fault of the app closes the gate for everybody, one of an object stays that object's.

Sources: Microsoft Graph, "Microsoft Graph error responses and resource types" and "Microsoft Graph
throttling guidance"; docs/graph.md says how sure each is. Codes at which Graph may have many words
are known by parts of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from connorg.contract.problems import ErrorCode as Code
from connorg.graph.words import Words


class Call(Enum):
    """What Graph was asked."""

    CREATE = "create"
    LIST = "list"
    READ = "read"
    CHANGE = "change"
    DELETE = "delete"
    SPONSORS = "list sponsors"
    REFER = "add or remove a sponsor"
    LOOKUP = "look up a tenant"
    SUBJECT = "add to a subject"


OF_THE_COLLECTION = frozenset({Call.CREATE, Call.LIST})
"""Calls that are not about a single object: if they are forbidden, the app is."""


class Meaning(Enum):
    DUPLICATE = "the identity source, or the name, is taken"
    REFUSED = "never as it was asked"
    LATER = "not now; it did nothing"
    AMBIGUOUS = "not now; it may have been carried out"
    THROTTLED = "everybody is to call less often"
    BLOCKED = "the app is not let in"
    OBJECT_DENIED = "the app is not let at this object, or not let in at all: ask which"


@dataclass(frozen=True)
class Told:
    """An answer, as rows see it."""

    call: Call
    status: int
    words: Words
    challenge: str = ""
    """The header WWW-Authenticate."""


@dataclass(frozen=True)
class Row:
    fits: Callable[[Told], bool]
    meaning: Meaning
    code: Code
    text: str
    action: str | None = None


DUPLICATE_CODES = ("ConnectedOrganizationAlreadyExists", "IdentityProviderAlreadyConfigured")

_GRANT = (
    "Grant the app's managed identity the app role EntitlementManagement.ReadWrite.All of Microsoft"
    " Graph, or the directory role Identity Governance Administrator."
)
_LICENSE = (
    "The tenant needs a Microsoft Entra ID Governance licence. Once it is there, Graph can take up"
    " to 8 hours to notice."
)
_FULL = (
    "A tenant holds at most 2,500 connected organizations. Delete those that are not needed any"
    " more, then replay this onboarding."
)
_CONDITIONAL = (
    "A Conditional Access policy for workload identities blocks the app. Look at the sign-in logs"
    " of service principals, and exclude the app's identity from the policy."
)
_EXPIRED = (
    "The token had expired when it reached Graph. A new token solves this; if the error stays,"
    " restart the app and check its clock."
)
_WRONG_CLOUD = (
    "Check that CONNORG_CLOUD names the cloud of the app's tenant, and that the app has its managed"
    " identity."
)
_NOT_OFFERED = (
    "This cloud or tenant does not offer connected organizations. Check that CONNORG_CLOUD is the"
    " tenant's cloud, and that the tenant has Microsoft Entra ID Governance."
)
_CORRECT = "Correct the request and send it again."

_LICENCE_WORDS = re.compile(r"licen[cs]|premium|\bskus?\b|[a-z]sku\b|subscription")
_THROTTLE_WORDS = re.compile(r"throttl|activitylimitreached|toomanyrequests|too many requests")
_FULL_WORDS = re.compile(r"quota|limit(?!ed)")
_LENGTH_WORDS = re.compile(r"length|size|character|rate|activity|depth")
_CHALLENGE_WORDS = re.compile(
    r"claims|conditional access|continuous access|insufficient_claims|tokencreatedwithoutdated"
)
_EXPIRED_WORDS = re.compile(r"expired|lifetime validation")
_TAKEN_WORDS = re.compile(r"already|duplicate|conflict|in use|\btaken\b|unique")
_PROPERTY_WORDS = re.compile(
    r"\bproperty '|a type named '|cannot convert the literal|"
    r"\b(displayname|description|identitysources?|state|domainname|tenantid|issueruri|"
    r"cloudinstance)\b"
)
_CLIENT_ERROR = 4
_LONGEST_CODES = 200  # characters


def _codes(told: Told) -> str:
    return " ".join(told.words.codes)[:_LONGEST_CODES].lower()


def _is_full(told: Told) -> bool:
    codes = _codes(told)
    return bool(_FULL_WORDS.search(codes)) and not _LENGTH_WORDS.search(codes)


def names_the_body(told: Told) -> bool:
    """Whether a 400 finds fault with a property of the body: then nothing can have come of it."""
    text = told.words.text
    return (
        told.status == HTTPStatus.BAD_REQUEST
        and bool(_PROPERTY_WORDS.search(text))
        and not _TAKEN_WORDS.search(text)
    )


def _speaks_of_a_licence(told: Told) -> bool:
    if told.status == HTTPStatus.PAYMENT_REQUIRED:
        return True
    text = told.words.unquoted
    return told.status in {400, 401, 403} and bool(_LICENCE_WORDS.search(text))


def _at(*statuses: int) -> Callable[[Told], bool]:
    return lambda told: told.status in statuses


ROWS: tuple[Row, ...] = (
    Row(
        lambda told: told.call is Call.CREATE and told.words.holds(DUPLICATE_CODES),
        Meaning.DUPLICATE,
        Code.ALREADY_CONNECTED,
        "The identity source is taken.",
    ),
    Row(
        _at(429),
        Meaning.THROTTLED,
        Code.GRAPH_THROTTLED,
        "Microsoft Graph asked us to call less often.",
    ),
    Row(
        lambda told: (
            told.status < HTTPStatus.INTERNAL_SERVER_ERROR
            and bool(_THROTTLE_WORDS.search(told.words.unquoted))
        ),
        Meaning.THROTTLED,
        Code.GRAPH_THROTTLED,
        "Microsoft Graph asked us to call less often.",
    ),
    Row(
        lambda told: not names_the_body(told) and _speaks_of_a_licence(told),
        Meaning.BLOCKED,
        Code.LICENSE_MISSING,
        "A licence is missing.",
        _LICENSE,
    ),
    Row(
        lambda told: told.call is Call.CREATE and told.status in {400, 403} and _is_full(told),
        Meaning.REFUSED,
        Code.TENANT_FULL,
        "The tenant can't have more connected organizations.",
        _FULL,
    ),
    Row(
        lambda told: (
            told.status == HTTPStatus.UNAUTHORIZED
            and bool(_CHALLENGE_WORDS.search(f"{told.challenge.lower()} {told.words.text}"))
        ),
        Meaning.BLOCKED,
        Code.TOKEN_REJECTED,
        "Microsoft Graph asked the app's identity for more than its token proves.",
        _CONDITIONAL,
    ),
    Row(
        lambda told: (
            told.status == HTTPStatus.UNAUTHORIZED and bool(_EXPIRED_WORDS.search(told.words.text))
        ),
        Meaning.BLOCKED,
        Code.TOKEN_REJECTED,
        "Microsoft Graph rejected the token, which had expired.",
        _EXPIRED,
    ),
    Row(
        _at(401),
        Meaning.BLOCKED,
        Code.TOKEN_REJECTED,
        "Microsoft Graph rejected the token.",
        _WRONG_CLOUD,
    ),
    Row(
        lambda told: (
            told.status == HTTPStatus.FORBIDDEN and told.call in OF_THE_COLLECTION | {Call.LOOKUP}
        ),
        Meaning.BLOCKED,
        Code.PERMISSION_MISSING,
        "A permission is missing.",
        _GRANT,
    ),
    Row(
        _at(403),
        Meaning.OBJECT_DENIED,
        Code.PERMISSION_MISSING,
        "Microsoft Graph refuses the app access to this object.",
        _GRANT,
    ),
    # What uses an organization is no outage: it stays until somebody removes it.
    Row(
        lambda told: told.call is Call.DELETE and told.status in {409, 412, 423},
        Meaning.REFUSED,
        Code.REFUSED_BY_GRAPH,
        "Microsoft Graph does not delete it.",
        "Remove what uses the organization, such as assignments and policies; then delete it.",
    ),
    # Too early, misdirected, locked, another version: Graph says that it did nothing.
    Row(
        _at(412, 421, 423, 425, 449),
        Meaning.LATER,
        Code.GRAPH_BUSY,
        "Microsoft Graph was busy with the organization.",
    ),
    # A conflict may be one with what an earlier call left behind; a part may be done.
    Row(
        _at(408, 409, 424, 499),
        Meaning.AMBIGUOUS,
        Code.GRAPH_BUSY,
        "Microsoft Graph was busy with the organization.",
    ),
    Row(
        lambda told: told.status in {404, 405, 410} and told.call is Call.CREATE,
        Meaning.REFUSED,
        Code.REFUSED_BY_GRAPH,
        "Microsoft Graph has no such collection.",
        _NOT_OFFERED,
    ),
    Row(
        lambda told: told.status // 100 == _CLIENT_ERROR,
        Meaning.REFUSED,
        Code.REFUSED_BY_GRAPH,
        "Microsoft Graph refused it.",
        _CORRECT,
    ),
    # 5xx, and answers that HTTP does not have: it may have been carried out.
    Row(
        lambda _: True, Meaning.AMBIGUOUS, Code.GRAPH_UNAVAILABLE, "Microsoft Graph failed inside."
    ),
)


def row_of(told: Told) -> Row:
    """Return the row that says what an answer means."""
    return next(row for row in ROWS if row.fits(told))
