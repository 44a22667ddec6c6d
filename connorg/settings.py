"""The app settings, read once per process. docs/settings.md has the table of them."""

import os
from functools import cache
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    model_validator,
)

from connorg import standard_webhooks
from connorg.contract.clouds import Cloud, https_address
from connorg.contract.identity_sources import TenantId
from connorg.core.policy.callback_urls import LOCAL_HOSTS, LOGIC_APPS
from connorg.core.policy.patterns import (
    channel_entry,
    host_entry,
    partner_entry,
    updating_channel_entry,
)
from connorg.core.policy.rules import Policy
from connorg.core.policy.ways_in import WaysIn
from connorg.telemetry.target import TelemetryTarget

CALLBACK_SECRETS = "CONNORG_CALLBACK_SECRETS"
RESULT_SECRETS = "CONNORG_RESULT_SECRETS"
REFERENCE_PLACE = "{reference}"
"""Where the link to a ticket takes its reference."""
_SHORTEST_SECRET = 32  # characters
_SHORTEST_CALLBACK_KEY = 16  # bytes
_SHORTEST_RETENTION, _LONGEST_RETENTION = 8, 3650  # days


class ConfigurationError(Exception):
    """An app setting is missing or wrong. The text names the setting, never its value."""


def _retention(days: float) -> float:
    if days and not _SHORTEST_RETENTION <= days <= _LONGEST_RETENTION:
        raise ValueError(
            f"must be 0, for ever, or {_SHORTEST_RETENTION} to {_LONGEST_RETENTION} days"
        )
    return days


def _ticket_link(text: str) -> str:
    before, marker, _ = text.partition(REFERENCE_PLACE)
    parts = urlsplit(before)
    if not (marker and parts.scheme == "https" and parts.hostname and parts.path):
        raise ValueError(f"must be an https address with {REFERENCE_PLACE} behind its host")
    return text


def _words(text: object) -> object:
    return _as_written(text.lower() if isinstance(text, str) else text)


def _as_written(text: object) -> object:
    if not isinstance(text, str):
        return text
    words = tuple(text.replace(",", " ").split())
    if not words:
        raise ValueError("names nothing; leave the setting out if that is meant")
    return words


# Words with commas or spaces between them.
type Words[Word] = Annotated[tuple[Word, ...], BeforeValidator(_words)]
type Partner = Annotated[str, AfterValidator(partner_entry)]
type Channel = Annotated[str, AfterValidator(channel_entry)]
type UpdatingChannel = Annotated[str, AfterValidator(updating_channel_entry)]
type Host = Annotated[str, AfterValidator(host_entry)]
type Address = Annotated[str, AfterValidator(https_address)]
type TicketLink = Annotated[str, AfterValidator(_ticket_link)]


class _Settings(BaseModel):
    @classmethod
    def read(cls) -> Self:
        """Read it from the environment, where empty is as good as missing.

        Raise ValidationError.
        """
        names = [str(field.alias) for field in cls.model_fields.values()]
        values = {name: value for name in names if (value := os.environ.get(name))}
        return cls.model_validate(values)


class _EntraSetting(_Settings):
    """The one setting that the registration of the functions needs."""

    require_entra: bool = Field(default=False, alias="CONNORG_REQUIRE_ENTRA")


class StorageSettings(_Settings):
    """Where storage is, and with which identity: all that is needed to put a message back."""

    # The Functions host reads the first four too, for the queue triggers: one storage account.
    storage_connection_string: str | None = Field(None, alias="AzureWebJobsStorage")
    storage_account_name: str | None = Field(
        None, alias="AzureWebJobsStorage__accountName", pattern="^[a-z0-9]{3,24}$"
    )
    queue_service_uri: Address | None = Field(None, alias="AzureWebJobsStorage__queueServiceUri")
    table_service_uri: Address | None = Field(None, alias="AzureWebJobsStorage__tableServiceUri")

    credential: Literal["managed_identity", "azure_cli"] = Field(
        "managed_identity", alias="CONNORG_CREDENTIAL"
    )
    client_id: str | None = Field(None, alias="AZURE_CLIENT_ID")

    def queue_endpoint(self) -> str:
        return self._endpoint(self.queue_service_uri, "queue")

    def table_endpoint(self) -> str:
        return self._endpoint(self.table_service_uri, "table")

    def _endpoint(self, uri: str | None, service: str) -> str:
        if uri is not None:
            return uri
        if self.storage_account_name is None:
            raise ConfigurationError(
                "The storage account is not named. Set AzureWebJobsStorage__accountName, or"
                f" AzureWebJobsStorage__{service}ServiceUri, or AzureWebJobsStorage."
            )
        return f"https://{self.storage_account_name}.{service}.core.windows.net"


class Settings(_EntraSetting, StorageSettings):
    entra_tenant: TenantId | None = Field(None, alias="CONNORG_ENTRA_TENANT")
    entra_audiences: Annotated[tuple[str, ...], BeforeValidator(_as_written)] = Field(
        (), alias="CONNORG_ENTRA_AUDIENCE"
    )
    other_sign_in: Address | None = Field(None, alias="CONNORG_ENTRA_AUTHORITY")
    website_auth_enabled: str = Field("", alias="WEBSITE_AUTH_ENABLED")

    cloud: Cloud = Field(Cloud.GLOBAL, alias="CONNORG_CLOUD")
    other_graph_root: Address | None = Field(None, alias="CONNORG_GRAPH_ROOT")
    graph_version: Literal["v1.0", "beta"] = Field("v1.0", alias="CONNORG_GRAPH_VERSION")
    tenant_lookup: bool = Field(default=True, alias="CONNORG_TENANT_LOOKUP")
    read_back: bool = Field(default=False, alias="CONNORG_READ_BACK")

    home_tenant: TenantId | None = Field(None, alias="CONNORG_HOME_TENANT")
    allowed: Words[Partner] = Field((), alias="CONNORG_ALLOWED")
    denied: Words[Partner] = Field((), alias="CONNORG_DENIED")
    public_mail: bool = Field(default=False, alias="CONNORG_PUBLIC_MAIL")
    tenant_only: bool = Field(default=False, alias="CONNORG_TENANT_ONLY")
    proposed_only: Words[Channel] = Field((), alias="CONNORG_PROPOSED_ONLY")
    updates_from: Words[UpdatingChannel] = Field((), alias="CONNORG_UPDATES_FROM")

    wait_seconds: float = Field(20, alias="CONNORG_WAIT_SECONDS", ge=0, le=100)
    attempt_seconds: float = Field(20, alias="CONNORG_ATTEMPT_SECONDS", ge=1, le=100)
    settle_seconds: float = Field(35, alias="CONNORG_SETTLE_SECONDS", ge=0, le=600)
    blocked_retry_seconds: float = Field(30, alias="CONNORG_BLOCKED_RETRY_SECONDS", ge=1, le=3600)
    give_up_hours: float = Field(24, alias="CONNORG_GIVE_UP_HOURS", gt=0, le=24 * 7)
    # Longer than anything may still ask for it: keys are kept a day, poison messages seven.
    retention_days: Annotated[float, AfterValidator(_retention)] = Field(
        365, alias="CONNORG_RETENTION_DAYS"
    )
    website_hostname: str = Field("", alias="WEBSITE_HOSTNAME")
    forwarded_hosts: Words[Host] = Field((), alias="CONNORG_FORWARDED_HOSTS")
    callback_hosts: Words[Host] = Field((), alias="CONNORG_CALLBACK_HOSTS")
    callback_retry_seconds: float = Field(5, alias="CONNORG_CALLBACK_RETRY_SECONDS", gt=0, le=900)
    ticket_link: TicketLink | None = Field(None, alias="CONNORG_TICKET_LINK")
    webhook_senders: str = Field("{}", alias="CONNORG_WEBHOOK_SOURCES")

    @model_validator(mode="after")
    def _has_both_of_entra(self) -> Self:
        if (self.entra_tenant is None) != (not self.entra_audiences):
            raise ValueError("CONNORG_ENTRA_TENANT and CONNORG_ENTRA_AUDIENCE go together")
        return self

    @model_validator(mode="after")
    def _looks_up_what_is_asked_for(self) -> Self:
        if self.tenant_only and not self.tenant_lookup:
            raise ValueError("CONNORG_TENANT_ONLY needs CONNORG_TENANT_LOOKUP")
        return self

    @property
    def signs_in_before(self) -> bool:
        """Whether App Service authentication is in front of the app: the platform says so."""
        return self.website_auth_enabled.lower() == "true"

    @property
    def sign_in(self) -> str:
        return self.other_sign_in or self.cloud.sign_in

    @property
    def graph_root(self) -> str:
        return self.other_graph_root or self.cloud.graph_root

    def ways_in(self) -> WaysIn:
        return WaysIn(self.proposed_only, self.updates_from)

    def policy(self) -> Policy:
        return Policy(
            cloud=self.cloud,
            home_tenant=self.home_tenant,
            allowed=frozenset(self.allowed),
            denied=frozenset(self.denied),
            public_mail=self.public_mail,
            tenant_only=self.tenant_only,
            ways_in=self.ways_in(),
            callback_hosts=self.called_hosts if callback_keys() else (),
        )

    @property
    def called_hosts(self) -> tuple[str, ...]:
        """Return the hosts that may be called back; by default Logic Apps' and the app's own."""
        own = {self.website_hostname.lower()} - LOCAL_HOSTS - {""}
        return self.callback_hosts or (*LOGIC_APPS, *own)


@cache
def settings() -> Settings:
    """Read the app settings. Raise ConfigurationError."""
    return _read(Settings)


@cache
def storage_settings() -> StorageSettings:
    """Read those of storage, though others may be wrong. Raise ConfigurationError."""
    return _read(StorageSettings)


def _read[Some: _Settings](kind: type[Some]) -> Some:
    try:
        return kind.read()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        wrong = "; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults)
        raise ConfigurationError(f"App settings are wrong. {wrong}") from None


def _place(steps: tuple[int | str, ...]) -> str:
    """Name the setting, and which of its entries; never what it holds."""
    return ", ".join(f"entry {step + 1}" if isinstance(step, int) else step for step in steps)


def telemetry() -> TelemetryTarget:
    """Return where telemetry goes. Never raises: it reports that other settings are wrong."""
    return TelemetryTarget(
        secret_of("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        otlp=bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()),
    )


def entra_required() -> bool:
    """Whether Entra callers alone are taken. Never raises: other settings may be wrong.

    If this one is wrong itself, keys are required, and a caller with a key sees what is wrong.
    """
    try:
        return _EntraSetting.read().require_entra
    except ValidationError:
        return False


def secret_of(setting: str) -> str | None:
    """Read a secret from an app setting; None: it is not there, or blank.

    Where the platform can't follow a Key Vault reference, the app sees the reference itself, which
    is no secret. Source: "Use Key Vault references as app settings".
    """
    value = os.environ.get(setting, "").strip()
    return None if value.lower().startswith("@microsoft.keyvault(") else value or None


def secrets_of(setting: str) -> tuple[str, ...]:
    """Read an app setting's secrets, separated by spaces or commas; two during a rotation."""
    return tuple((secret_of(setting) or "").replace(",", " ").split())


def callback_keys() -> tuple[bytes, ...]:
    """Return the keys that sign callbacks; empty: no callbacks. Raise ConfigurationError."""
    try:
        keys = tuple(standard_webhooks.key_of(secret) for secret in secrets_of(CALLBACK_SECRETS))
    except ValueError as error:
        raise ConfigurationError(f"{CALLBACK_SECRETS}: each secret {error}.") from None
    if any(len(key) < _SHORTEST_CALLBACK_KEY for key in keys):
        raise ConfigurationError(
            f"{CALLBACK_SECRETS}: each secret must encode {_SHORTEST_CALLBACK_KEY} bytes or more"
        )
    return keys


def result_secrets() -> tuple[str, ...]:
    """Return the secrets of result addresses, the one that signs first. Raise ConfigurationError.

    A setting that holds a reference which was not followed must not open the addresses to all.
    """
    secrets = secrets_of(RESULT_SECRETS)
    is_set = bool(os.environ.get(RESULT_SECRETS, "").strip())
    if is_set and not (secrets and all(len(secret) >= _SHORTEST_SECRET for secret in secrets)):
        raise ConfigurationError(
            f"{RESULT_SECRETS} must hold secrets of at least {_SHORTEST_SECRET} characters."
        )
    return secrets
