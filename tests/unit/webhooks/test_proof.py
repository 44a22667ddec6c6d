"""How senders prove themselves: documented vectors, forgeries, replays, rotation."""

import base64
import hmac
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from pydantic import TypeAdapter
from standardwebhooks.webhooks import Webhook
from svix.webhooks import Webhook as Svix

from connorg.webhooks.proof import (
    Delivery,
    ExpiredProofError,
    MalformedProofError,
    MissingProofError,
    Proof,
    ProofError,
    Scheme,
    WrongProofError,
)
from tests.cases import each

DECLARED: TypeAdapter[Scheme] = TypeAdapter(Proof)


@dataclass(frozen=True)
class Vector:
    """A delivery that must be accepted at its time."""

    declared: Mapping[str, str]
    secret: str
    headers: Mapping[str, str]
    body: bytes = b""
    now: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC))

    @property
    def scheme(self) -> Scheme:
        return DECLARED.validate_python(self.declared)

    @property
    def delivery(self) -> Delivery:
        return Delivery({name.lower(): value for name, value in self.headers.items()}, self.body)

    def check(self, *, secrets: Sequence[str] = (), now: datetime | None = None) -> None:
        keys = [self.scheme.key_of(secret) for secret in secrets or (self.secret,)]
        self.scheme.check(self.delivery, keys, now or self.now)

    def with_header(self, name: str, value: str) -> "Vector":
        return replace(self, headers={**self.headers, name: value})


# RFC 4231, test case 2
JEFE = b"what do ya want for nothing?"


def mac(secret: str, before: str) -> str:
    return hmac.digest(secret.encode(), f'{before}{{"a": 1}}'.encode(), "sha256").hex()


VECTORS: Mapping[str, Vector] = {
    # Atlassian, "Webhooks" of Jira Cloud; the same with
    # printf 'Hello World!' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"
    "jira": Vector(
        {"scheme": "jira"},
        "It's a Secret to Everybody",
        {
            "X-Hub-Signature": "sha256="
            "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
        },
        b"Hello World!",
    ),
    # printf '2021-03-25T05:09:27Z{"ticket": "35436"}' | openssl dgst -sha256 -hmac … -binary |
    # base64, with the secret of every Zendesk webhook that is not created yet
    "zendesk": Vector(
        {"scheme": "zendesk"},
        "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",
        {
            "X-Zendesk-Webhook-Signature": "HWc5zWWDzcYvqKxUQ6IJhe1J6g5E8Q6VjtzRLBxjjwg=",
            "X-Zendesk-Webhook-Signature-Timestamp": "2021-03-25T05:09:27Z",
        },
        b'{"ticket": "35436"}',
        datetime(2021, 3, 25, 5, 9, 27, tzinfo=UTC),
    ),
    # The vector that the Standard Webhooks libraries are tested with
    "standard-webhooks": Vector(
        {"scheme": "standard-webhooks"},
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
    ),
    "hmac in hex": Vector(
        {"scheme": "hmac", "header": "X-Signature", "prefix": "sha256="},
        "Jefe",
        {"X-Signature": "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        JEFE,
    ),
    "hmac of sha384 in hex": Vector(
        {"scheme": "hmac", "header": "X-Signature", "algorithm": "sha384"},
        "Jefe",
        {
            "X-Signature": "af45d2e376484031617f78d2b58a6b1b"
            "9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        },
        JEFE,
    ),
    "hmac of sha512 in Base64": Vector(
        {"scheme": "hmac", "header": "X-Signature", "algorithm": "sha512", "encoding": "base64"},
        "Jefe",
        {
            "X-Signature": "Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91wFqZSm0DT2X48Ob9"
            "yuqxo01Ka0tjbgcKOLznNw=="
        },
        JEFE,
    ),
    "hmac among several": Vector(
        {"scheme": "hmac", "header": "X-Signature", "prefix": "v1=", "separator": ","},
        "Jefe",
        {"X-Signature": "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        JEFE,
    ),
    # The same as the vector of Standard Webhooks, in the names that Svix sends by default
    "svix": Vector(
        {"scheme": "standard-webhooks"},
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        {
            "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "svix-timestamp": "1614265330",
            "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
    ),
    # printf '1614265330.{"a": 1}' | openssl dgst -sha256 -hmac whsec_of_stripe -r
    "stripe": Vector(
        {"scheme": "stripe"},
        "whsec_of_stripe",
        {"Stripe-Signature": f"t=1614265330,v1={mac('whsec_of_stripe', '1614265330.')}"},
        b'{"a": 1}',
        datetime.fromtimestamp(1614265330, UTC),
    ),
    # printf 'v0:1614265330:{"a": 1}' | openssl dgst -sha256 -hmac slack-secret -r
    "slack": Vector(
        {"scheme": "slack"},
        "slack-secret",
        {
            "X-Slack-Signature": f"v0={mac('slack-secret', 'v0:1614265330:')}",
            "X-Slack-Request-Timestamp": "1614265330",
        },
        b'{"a": 1}',
        datetime.fromtimestamp(1614265330, UTC),
    ),
    "header-key": Vector(
        {"scheme": "header-key", "header": "X-Connorg-Key"},
        "hunter2-hunter2-hunter2",
        {"X-Connorg-Key": "hunter2-hunter2-hunter2"},
    ),
    "header-key as a bearer's": Vector(
        {"scheme": "header-key", "header": "Authorization", "prefix": "Bearer "},
        "hunter2-hunter2-hunter2",
        {"Authorization": "Bearer hunter2-hunter2-hunter2"},
    ),
    # RFC 7617, section 2
    "basic": Vector(
        {"scheme": "basic", "user": "Aladdin"},
        "open sesame",
        {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    ),
}
KEYS = {"header-key", "header-key as a bearer's", "basic"}
SIGNED = {name: vector for name, vector in VECTORS.items() if name not in KEYS}
TIMED = {
    name: VECTORS[name] for name in ("zendesk", "standard-webhooks", "svix", "stripe", "slack")
}

each_vector = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
each_signed = pytest.mark.parametrize("vector", SIGNED.values(), ids=SIGNED)
each_timed = pytest.mark.parametrize("vector", TIMED.values(), ids=TIMED)


@each_vector
def test_the_documented_vector_is_accepted(vector: Vector) -> None:
    vector.check()


@each_vector
def test_another_secret_is_refused(vector: Vector) -> None:
    with pytest.raises(WrongProofError):
        vector.check(secrets=["whsec_AAAA" if "standard" in str(vector.declared) else "another"])


@each_vector
def test_either_secret_is_accepted_during_a_rotation(vector: Vector) -> None:
    other = base64.b64encode(b"the next one").decode()
    vector.check(secrets=[vector.secret, other])
    vector.check(secrets=[other, vector.secret])


@each_vector
def test_each_header_must_be_there(vector: Vector) -> None:
    for name in vector.headers:
        for lacking in (
            {key: value for key, value in vector.headers.items() if key != name},
            {**vector.headers, name: ""},
        ):
            with pytest.raises(MissingProofError, match=name):
                replace(vector, headers=lacking).check()


@each_timed
def test_a_replay_outside_the_window_is_refused(vector: Vector) -> None:
    for minutes in (-5, 5):
        vector.check(now=vector.now + timedelta(minutes=minutes))
        with pytest.raises(ExpiredProofError):
            vector.check(now=vector.now + timedelta(minutes=minutes, seconds=minutes / 5))


@each_timed
def test_a_replay_with_a_fresh_time_is_refused(vector: Vector) -> None:
    later = vector.now + timedelta(days=1)
    fresh = {
        "X-Zendesk-Webhook-Signature-Timestamp": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        "webhook-timestamp": str(int(later.timestamp())),
        "svix-timestamp": str(int(later.timestamp())),
        "X-Slack-Request-Timestamp": str(int(later.timestamp())),
        "Stripe-Signature": vector.headers.get("Stripe-Signature", "").replace(
            "t=1614265330", f"t={int(later.timestamp())}"
        ),
    }
    changed = {name: fresh.get(name, value) for name, value in vector.headers.items()}
    with pytest.raises(WrongProofError):
        replace(vector, headers=changed).check(now=later)


@each_vector
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_forgeries_are_refused_and_break_nothing(vector: Vector, count: int) -> None:
    for forgery in forgeries(vector, count):
        try:
            forgery.check()
        except ProofError:
            continue
        pytest.fail(f"accepted: {forgery.headers} {forgery.body!r}")


@each_signed
def test_a_body_that_is_no_text_can_be_signed(vector: Vector) -> None:
    with pytest.raises(WrongProofError):
        replace(vector, body=b"\xff\xfe\x00").check()


def test_odd_headers_are_refused_as_any_other() -> None:
    odd = ("ü" * 64, "\udcff", "x" * 100_000, "\r\n", "sha256=", ",")
    for case in each(product(VECTORS, odd)):
        with case as (kind, value):
            for name in VECTORS[kind].headers:
                with pytest.raises(ProofError):
                    VECTORS[kind].with_header(name, value).check()


@pytest.mark.parametrize("pushed", [-3, -1, 1, 3])
def test_no_byte_can_be_pushed_from_zendesks_time_to_the_body(pushed: int) -> None:
    """What is signed is the same; where the time ends in it is not."""
    vector = VECTORS["zendesk"]
    time = vector.headers["X-Zendesk-Webhook-Signature-Timestamp"]
    signed, seam = time.encode() + vector.body, len(time) + pushed
    moved = replace(vector, body=signed[seam:])
    with pytest.raises(MalformedProofError):
        moved.with_header("X-Zendesk-Webhook-Signature-Timestamp", signed[:seam].decode()).check()


def test_no_byte_can_be_pushed_from_one_field_of_standard_webhooks_to_the_next() -> None:
    vector = VECTORS["standard-webhooks"]
    number = replace(vector, body=b'1614265330.{"test": 2432232314}')
    moved = number.with_header("webhook-id", f"{vector.headers['webhook-id']}.1614265330")
    with pytest.raises(MalformedProofError):
        moved.check()


def test_what_the_standard_webhooks_library_signs_is_accepted() -> None:
    secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYob7oViz"
    now = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    body = '{"type": "partner.approved", "name": "Bücher ☃"}'
    vector = Vector(
        {"scheme": "standard-webhooks"},
        secret,
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign("msg_1", now, body),
        },
        body.encode(),
        now,
    )
    vector.check()


def test_one_good_signature_among_several_is_enough_as_in_a_senders_rotation() -> None:
    vector = VECTORS["standard-webhooks"]
    good = vector.headers["webhook-signature"]
    vector.with_header("webhook-signature", f"v1,{'A' * 43}= v1a,{'B' * 86}== {good}").check()
    with pytest.raises(WrongProofError):
        vector.with_header("webhook-signature", good.replace("v1,", "v1a,")).check()


@pytest.mark.parametrize("library", [Webhook, Svix])
@pytest.mark.parametrize("family", ["webhook", "svix"])
@pytest.mark.parametrize("secret", ["whsec_C2FVsBQIhrscChlQIMV+b5sSYob7oViz", "whsec_AAECAwQFBgc="])
def test_what_both_libraries_sign_is_accepted_in_both_families_padded_or_not(
    library: type[Webhook] | type[Svix], family: str, secret: str
) -> None:
    now = datetime.now(UTC)
    body = '{"type": "partner.approved", "name": "Bücher ☃"}'
    headers = {
        f"{family}-id": "msg_1",
        f"{family}-timestamp": str(int(now.timestamp())),
        f"{family}-signature": library(secret).sign("msg_1", now, body),
    }
    vector = Vector({"scheme": "standard-webhooks"}, secret, headers, body.encode(), now)
    vector.check()
    vector.check(secrets=[secret.rstrip("=")])
    vector.check(secrets=[secret.removeprefix("whsec_")])
    with pytest.raises(WrongProofError):
        vector.check(secrets=["whsec_AAECAwQFBgg="])


def test_the_two_families_of_headers_do_not_mix() -> None:
    """What is not signed must not stand in for what is: a delivery's id tells repetitions."""
    vector = VECTORS["svix"]
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        with pytest.raises(MissingProofError):
            vector.with_header(name, "msg_2").check()
    missing = {**vector.headers, "webhook-id": vector.headers["svix-id"]}
    del missing["svix-id"]
    with pytest.raises(MissingProofError):
        replace(vector, headers=missing).check()


@pytest.mark.parametrize("name", ["hmac among several", "stripe"])
def test_one_good_signature_among_several_is_enough_in_any_place(name: str) -> None:
    vector = VECTORS[name]
    [header] = vector.headers
    start, _, good = vector.headers[header].rpartition("v1=")
    other = "0" * 64
    for several in (f"v1={other},v1={good}", f"v1={good},v1={other}", f"v1={good},v0={other}"):
        vector.with_header(header, f"{start}{several}").check()
    for wrong in (f"v0={good}", f"v1={other},v0={good}", f"v1={other}"):
        with pytest.raises(ProofError):
            vector.with_header(header, f"{start}{wrong}").check()
    many = ",".join(f"v1={i:064x}" for i in range(50))
    with pytest.raises(MalformedProofError):
        vector.with_header(header, f"{start}{many},v1={good}").check()


def test_another_user_with_the_password_is_refused() -> None:
    other = base64.b64encode(b"Jafar:open sesame").decode()
    with pytest.raises(WrongProofError):
        VECTORS["basic"].with_header("Authorization", f"Basic {other}").check()


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not Base64!", "whsec_A"])
def test_a_secret_of_standard_webhooks_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        VECTORS["standard-webhooks"].scheme.key_of(secret)


@each_vector
def test_the_reason_names_headers_and_no_value(vector: Vector) -> None:
    for forgery in forgeries(vector, 200):
        with pytest.raises(ProofError) as raised:
            forgery.check()
        held = [value for value in forgery.headers.values() if len(value) > 8]
        assert not [value for value in held if value in str(raised.value)]
        assert vector.secret not in str(raised.value)


def forgeries(vector: Vector, count: int) -> Iterator[Vector]:
    """Change one header or the body, each in a small way."""
    chance = random.Random(4711)
    names = [*vector.headers]
    if vector.body:
        names.append("body")
    while count:
        name = chance.choice(names)
        if name == "body":
            changed = replace(vector, body=altered(vector.body, chance))
        else:
            text = altered(vector.headers[name].encode(), chance).decode("latin-1")
            changed = vector.with_header(name, text)
        if changed != vector:
            count -= 1
            yield changed


def altered(text: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(text))
    here, rest = text[at : at + 1], text[at + 1 :]
    odd = chance.choice([b" ", b"\t", b"0", b"+", b",", b"=", b"\n", b"\0", chance.randbytes(1)])
    return chance.choice(
        [
            text[:at] + odd + rest,
            text[:at] + odd + here + rest,
            text[:at] + rest,
            text[:at] + bytes([here[0] ^ 1 << chance.randrange(8)]) + rest,
            text[:at] + here.swapcase() + rest,
            text[:at] + rest[:1] + here + rest[1:],
            text[:at],
            odd + text,
            text + odd,
            text + text,
            text + b"," + text,
        ]
    )
