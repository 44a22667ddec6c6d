"""Who may send webhooks: one JSON document, in the app setting or in a file that it names.

    {"jira": {"profile": "jira", "secrets": ["JIRA_WEBHOOK_SECRET"], …}, …}

docs/connect/README.md describes its fields. It holds no secret: only the names of the app settings
that do, which Key Vault references can fill.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, TypeAdapter, ValidationError, model_validator

from connorg.contract.identity_sources import SourceType
from connorg.contract.model import Model
from connorg.contract.requests import OnboardingRequest
from connorg.settings import ConfigurationError, secret_of
from connorg.webhooks.expressions import Expression, checked
from connorg.webhooks.profiles import PROFILES
from connorg.webhooks.proof import HeaderName, Proof

SETTING = "CONNORG_WEBHOOK_SOURCES"
_SHORTEST_KEY = 8  # bytes; anybody who sees one signed delivery can try all shorter ones
_APP = Path(__file__).parents[2]  # where function_app.py lies

_FIELDS = {field.alias: field for field in OnboardingRequest.model_fields.values()}
_REQUIRED = {name for name, field in _FIELDS.items() if field.is_required()}


def _known_fields[Value](fields: dict[str, Value]) -> dict[str, Value]:
    for name in fields:
        if name not in _FIELDS:
            known = ", ".join(sorted(map(str, _FIELDS)))
            raise ValueError(f"has a field that no request has: {name}. Known are {known}")
    return fields


def _template(fields: dict[str, Any]) -> dict[str, Any]:
    for place, leaf in leaves_of(fields):
        if not isinstance(leaf, str):
            raise ValueError(f"{place}: must be a JMESPath expression, in quotes")  # noqa: TRY004
        try:
            checked(leaf)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    return fields


def leaves_of(template: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Return each expression of a template with its JSON pointer."""
    if not isinstance(template, dict | list):
        yield place, template
        return
    parts = template.items() if isinstance(template, dict) else enumerate(template)
    for name, part in parts:
        yield from leaves_of(part, f"{place}/{name}")


SettingName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
SenderName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]


class DeliveryId(Model):
    """Where a delivery has what is the same each time that it is repeated."""

    header: HeaderName | tuple[HeaderName, ...] | None = None
    """Its name, or several of which the first that is there counts."""
    path: Expression | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.header) == (self.path is not None):
            raise ValueError("needs either header or path")
        return self

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the names of headers, in lower case."""
        names = (self.header,) if isinstance(self.header, str) else self.header or ()
        return tuple(name.lower() for name in names)


class Sender(Model):
    proof: Proof
    secrets: Annotated[tuple[SettingName, ...], Field(min_length=1, max_length=8)]
    """Names of app settings; a sender that knows any of the secrets is believed."""
    counts: Expression | None = None
    """Holds for the events that ask for something; None: all do."""
    request: Annotated[dict[str, Any], AfterValidator(_known_fields), AfterValidator(_template)]
    """The request in its own shape, with a JMESPath expression in the place of each value."""
    defaults: Annotated[dict[str, JsonValue], AfterValidator(_known_fields)] = Field({})
    """For the fields of which the event has nothing, or an empty string."""
    delivery_id: DeliveryId | None = None
    may_repeat: bool = False
    """Whether the same bytes may ask for the same again, under another delivery id."""
    identity_source_types: tuple[SourceType, ...] | None = None
    """What the source may ask for; None: all types."""

    @model_validator(mode="before")
    @classmethod
    def _with_profile(cls, declared: Any) -> Any:
        if not isinstance(declared, dict) or "profile" not in declared:
            return declared
        own = dict(declared)
        profile = PROFILES.get(str(own.pop("profile")))
        if profile is None:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}")
        for part in ("request", "defaults"):
            if isinstance(own.get(part, {}), dict):
                own[part] = {**profile.get(part, {}), **own.get(part, {})}
        return {**profile, **own}

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        missing = _REQUIRED - self.request.keys() - self.defaults.keys()
        if missing:
            names = ", ".join(sorted(map(str, missing)))
            raise ValueError(f"request does not say where an event has: {names}")
        return self

    def keys(self) -> tuple[bytes, ...]:
        """Return the keys of all secrets that are set; during a rotation there are several.

        Raise ConfigurationError. It names a secret by its place: who puts the secret itself where
        its name belongs shall not find it in the log.
        """
        secrets = [secret_of(name) for name in self.secrets]
        if not any(secrets):
            raise ConfigurationError("secrets: none of the settings has a secret")
        return tuple(
            self._key(place, secret) for place, secret in enumerate(secrets) if secret is not None
        )

    def _key(self, place: int, secret: str) -> bytes:
        try:
            key = self.proof.key_of(secret)
        except ValueError as error:
            raise ConfigurationError(f"secrets.{place}: the setting {error}") from None
        if len(key) < _SHORTEST_KEY:
            text = f"must hold a secret of at least {_SHORTEST_KEY} characters"
            raise ConfigurationError(f"secrets.{place}: the setting {text}")
        return key


type Senders = Mapping[str, Sender]


def sharing(senders: Senders) -> Mapping[str, tuple[str, ...]]:
    """Return of each sender which others may pass for it: they know one of its secrets."""
    known = {
        name: {secret for setting in sender.secrets if (secret := secret_of(setting))}
        for name, sender in senders.items()
    }
    return {
        name: tuple(other for other in known if other != name and known[name] & known[other])
        for name in known
    }


_DOCUMENT = TypeAdapter(dict[SenderName, Sender])


def load(setting: str) -> Senders:
    """Read the document: the setting's value itself, or the file that it names.

    Raise ConfigurationError, which names each place where the document is wrong.
    """
    try:
        return _DOCUMENT.validate_json(_text_of(setting))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = "; ".join(
            f"{'.'.join(str(step) for step in fault['loc'])}: "
            + fault["msg"].removeprefix("Value error, ")
            for fault in faults
        )
        raise ConfigurationError(f"{SETTING} is wrong. {wrong}") from None


def _text_of(setting: str) -> bytes:
    if setting.lstrip().startswith("{"):
        return setting.encode()
    try:
        return (_APP / setting.strip()).read_bytes()
    except (OSError, ValueError):
        raise ConfigurationError(
            f"{SETTING} neither holds a JSON object nor names a file that can be read."
        ) from None
