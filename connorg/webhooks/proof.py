"""How a sender proves itself: over the bytes as they came, before anything reads them.

    ProofError
    ├── MissingProofError     a header that the scheme needs is not there
    ├── MalformedProofError   it can't be what the scheme sends
    ├── WrongProofError       no secret makes it
    └── ExpiredProofError     a secret makes it, but for another time: somebody replays it

Senders get one answer to all of them. The texts are for our log: they name headers, never values.

What is compared is the one spelling that a sender writes, never what it decodes to. So no other
spelling passes either.
"""

import base64
import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field

from connorg import standard_webhooks
from connorg.contract.model import Model

# Between the sender's clock and ours, and for the way; the Standard Webhooks libraries take it too.
WINDOW = timedelta(minutes=5)
_MOST_SIGNATURES = 16  # in one header; in a rotation there are two


class ProofError(Exception):
    """The delivery is not proven. The text is for the log alone."""


class MissingProofError(ProofError):
    pass


class MalformedProofError(ProofError):
    pass


class WrongProofError(ProofError):
    pass


class ExpiredProofError(ProofError):
    pass


@dataclass(frozen=True)
class Delivery:
    """What came in. Header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header that must be there. Raise MissingProofError."""
        value = self.headers.get(name.lower())
        if not value:
            raise MissingProofError(f"the header {name} is missing")
        return value


class Scheme(Model, ABC):
    is_replayable: ClassVar[bool] = False
    """Whether it signs the body, and neither a time nor an id: anybody who saw a delivery can send
    it again under another id."""

    @abstractmethod
    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        """Return if the holder of one of the secrets sent the delivery, and lately.

        Raise ProofError.
        """

    def key_of(self, secret: str) -> bytes:
        """Return the key that a secret encodes. Raise ValueError if it can't be one."""
        return secret.encode()


class Jira(Scheme):
    """Source: Atlassian, "Webhooks" of Jira Cloud, "Secure admin webhooks". No time is signed."""

    scheme: Literal["jira"]
    is_replayable = True
    HEADER: ClassVar = "X-Hub-Signature"
    SIGNATURE: ClassVar = re.compile(r"sha256=[0-9a-f]{64}")

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:  # noqa: ARG002
        given = _fitting(delivery, self.HEADER, self.SIGNATURE)
        macs = (_mac(secret, delivery.body) for secret in secrets)
        _compare(given, (f"sha256={mac.hex()}" for mac in macs), self.HEADER)


class Zendesk(Scheme):
    """Source: Zendesk, "Verifying webhook authenticity"."""

    scheme: Literal["zendesk"]
    HEADER: ClassVar = "X-Zendesk-Webhook-Signature"
    TIME_HEADER: ClassVar = "X-Zendesk-Webhook-Signature-Timestamp"
    SIGNATURE: ClassVar = re.compile(r"[A-Za-z0-9+/]{43}=")
    # Nothing separates time and body in what is signed. A time that is read to its end, and
    # only in this form, keeps bytes from being pushed over the seam.
    TIME: ClassVar = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z"
    )

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        given = _fitting(delivery, self.HEADER, self.SIGNATURE)
        time = _fitting(delivery, self.TIME_HEADER, self.TIME)
        signed = time.encode() + delivery.body
        macs = (_mac(secret, signed) for secret in secrets)
        _compare(given, (_base64(mac) for mac in macs), self.HEADER)
        try:
            _check_time(datetime.fromisoformat(time), now)
        except ValueError:  # the thirteenth month
            raise MalformedProofError(f"the header {self.TIME_HEADER} contains no time") from None


class StandardWebhooks(Scheme):
    """Source: the Standard Webhooks specification, symmetric signatures (`v1`).

    Svix, where it comes from, signs in the same way and names its headers otherwise by default.
    """

    scheme: Literal["standard-webhooks"]
    NAMES: ClassVar = ("signature", "id", "timestamp")
    SIGNATURES: ClassVar = re.compile(r"[!-~]+( [!-~]+)*")
    ID: ClassVar = re.compile(r"[!-\-/-~]{1,256}")  # no full stop: it divides what is signed
    TIME: ClassVar = re.compile(r"[1-9][0-9]{0,10}")

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        # One family for all three: what is not signed must not replace what is.
        family = "svix" if self._is_svix(delivery) else "webhook"
        signature, id_name, time_name = (f"{family}-{name}" for name in self.NAMES)
        signatures = _fitting(delivery, signature, self.SIGNATURES).split(" ")
        id_ = _fitting(delivery, id_name, self.ID)
        time = _fitting(delivery, time_name, self.TIME)
        expected = [
            standard_webhooks.signature(secret, id_, time, delivery.body) for secret in secrets
        ]
        if not sum(_is_one_of(given, expected) for given in signatures):
            raise WrongProofError(f"no secret matches a signature in {signature}")
        _check_time(datetime.fromtimestamp(int(time), UTC), now)

    def _is_svix(self, delivery: Delivery) -> bool:
        names = delivery.headers.keys()
        of_svix, own = ({f"{family}-{n}" for n in self.NAMES} for family in ("svix", "webhook"))
        return bool(names & of_svix) and not names & own

    def key_of(self, secret: str) -> bytes:
        return standard_webhooks.key_of(secret)


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
_LENGTHS = {"sha256": 32, "sha384": 48, "sha512": 64}  # bytes


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must hold printable ASCII characters only")
    return text


class Hmac(Scheme):
    """Any other sender that signs its body. No time is signed."""

    scheme: Literal["hmac"]
    is_replayable = True
    header: HeaderName
    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: Annotated[str, Field(max_length=64), AfterValidator(_printable)] = ""
    separator: Literal[",", " ", ";"] | None = None
    """The separator of several signatures, which a sender sends during a rotation."""

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:  # noqa: ARG002
        macs = (_mac(secret, delivery.body, self.algorithm) for secret in secrets)
        encode = bytes.hex if self.encoding == "hex" else _base64
        expected = [f"{self.prefix}{encode(mac)}" for mac in macs]
        if self.separator is None:
            _compare(_fitting(delivery, self.header, self._signature()), expected, self.header)
        else:
            _compare_any(self._several(delivery, self.separator), expected, self.header)

    def _several(self, delivery: Delivery, separator: str) -> list[str]:
        given = delivery.header(self.header).split(separator)
        if len(given) > _MOST_SIGNATURES or len({*given}) < len(given) or not all(given):
            raise MalformedProofError(f"the header {self.header} is no list of signatures")
        return [one for one in given if self._signature().fullmatch(one)]

    def _signature(self) -> re.Pattern[str]:
        length = _LENGTHS[self.algorithm]
        digits = (
            f"[0-9a-f]{{{2 * length}}}"
            if self.encoding == "hex"
            else f"[A-Za-z0-9+/=]{{{-(-length // 3) * 4}}}"
        )
        return re.compile(re.escape(self.prefix) + digits)


class HeaderKey(Scheme):
    """A sender that does not sign and sends a fixed key, which is in every delivery."""

    scheme: Literal["header-key"]
    header: HeaderName
    prefix: Annotated[str, Field(max_length=64), AfterValidator(_printable)] = ""
    """The text before the key, such as `Bearer ` with its space."""

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:  # noqa: ARG002
        expected = (self.prefix.encode() + secret for secret in secrets)
        _compare_keys(delivery.header(self.header), expected, self.header)


class Basic(Scheme):
    """A user name and a password (RFC 7617), which is the secret. As `header-key`: a fixed key."""

    scheme: Literal["basic"]
    user: Annotated[
        str, Field(min_length=1, max_length=128, pattern=r"^[^:]+$"), AfterValidator(_printable)
    ]
    HEADER: ClassVar = "Authorization"

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:  # noqa: ARG002
        pairs = (self.user.encode() + b":" + secret for secret in secrets)
        expected = (b"Basic " + base64.b64encode(pair) for pair in pairs)
        _compare_keys(delivery.header(self.HEADER), expected, self.HEADER)


class Stripe(Scheme):
    """A time and signatures in one header: `t=1492774577,v1=…`. Source: Stripe, "Webhooks".

    Signed is the time, a full stop, and the body.
    """

    scheme: Literal["stripe"]
    header: HeaderName = "Stripe-Signature"
    SIGNATURE: ClassVar = re.compile(r"t=[1-9][0-9]{0,10}(,v[0-9]=[0-9a-f]{64}){1,16}")

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        stamp, *signatures = _fitting(delivery, self.header, self.SIGNATURE).split(",")
        time = stamp.removeprefix("t=")
        signed = f"{time}.".encode() + delivery.body
        expected = [f"v1={_mac(secret, signed).hex()}" for secret in secrets]
        _compare_any(signatures, expected, self.header)
        _check_time(datetime.fromtimestamp(int(time), UTC), now)


class Slack(Scheme):
    """A signature of the version, a time in a header of its own, and the body.

    Source: Slack, "Verifying requests from Slack".
    """

    scheme: Literal["slack"]
    header: HeaderName = "X-Slack-Signature"
    time_header: HeaderName = "X-Slack-Request-Timestamp"
    SIGNATURE: ClassVar = re.compile(r"v0=[0-9a-f]{64}")
    TIME: ClassVar = re.compile(r"[1-9][0-9]{0,10}")

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        given = _fitting(delivery, self.header, self.SIGNATURE)
        time = _fitting(delivery, self.time_header, self.TIME)
        signed = f"v0:{time}:".encode() + delivery.body
        _compare(given, (f"v0={_mac(secret, signed).hex()}" for secret in secrets), self.header)
        _check_time(datetime.fromtimestamp(int(time), UTC), now)


Proof = Annotated[
    Jira | Zendesk | StandardWebhooks | Hmac | HeaderKey | Basic | Stripe | Slack,
    Discriminator("scheme"),
]


def _fitting(delivery: Delivery, name: str, pattern: re.Pattern[str]) -> str:
    value = delivery.header(name)
    if not pattern.fullmatch(value):
        raise MalformedProofError(f"the header {name} does not look as the scheme has it")
    return value


def _mac(secret: bytes, signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(secret, signed, algorithm)


def _base64(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _compare(given: str, expected: Iterable[str], header: str) -> None:
    if not _is_one_of(given, expected):
        raise WrongProofError(f"no secret matches the header {header}")


def _compare_any(given: Iterable[str], expected: Sequence[str], header: str) -> None:
    if not sum(_is_one_of(one, expected) for one in given):
        raise WrongProofError(f"no secret matches a signature in the header {header}")


def _compare_keys(given: str, expected: Iterable[bytes], header: str) -> None:
    # Of equal length, so that the comparison does not show the key's.
    digests = (hashlib.sha256(one).hexdigest() for one in expected)
    given_digest = hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()
    _compare(given_digest, digests, header)


def _is_one_of(given: str, expected: Iterable[str]) -> bool:
    # A sum, so that each is compared: the time does not show which secret fits.
    return sum(hmac.compare_digest(given, one) for one in expected) > 0


def _check_time(signed_at: datetime, now: datetime) -> None:
    if abs(now - signed_at) > WINDOW:
        raise ExpiredProofError(f"it was signed more than {WINDOW} away from now")
