"""What may be connected: every rule that is this company's choice, or follows from its cloud.

A request is held against it when it comes in, and again in each attempt, when the tenant behind the
identity source is known and the rules may have changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from connorg.contract.clouds import Cloud
from connorg.contract.effects import Effect
from connorg.contract.faults import Fault
from connorg.contract.identity_sources import (
    CrossCloudAzureActiveDirectoryTenant,
    DomainIdentitySource,
)
from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import Tenant
from connorg.contract.requests import OnboardingRequest
from connorg.core.domain.errors import refused_by_policy
from connorg.core.policy.callback_urls import callback_url_fault
from connorg.core.policy.domains import is_disposable, is_public_mail, is_public_suffix
from connorg.core.policy.patterns import is_listed
from connorg.core.policy.ways_in import ON_STANDING, WaysIn, effects_of

PERSONAL_ACCOUNTS = "9cd80435-793b-4f48-844b-6b3f37d1c1f3"
"""The tenant of personal Microsoft accounts, which is no organization."""

_SOURCE = "/identitySources/0"
_NOBODYS = "so it does not identify a partner."
_WEB_HOST = "www"


@dataclass(frozen=True)
class Refusal:
    """The policy has something against a request: every fault of it, with the rule's name."""

    faults: tuple[Fault, ...]

    @property
    def error(self) -> OnboardingError:
        return refused_by_policy(self.faults)


@dataclass(frozen=True)
class Policy:
    cloud: Cloud = Cloud.GLOBAL
    home_tenant: str | None = None
    """The company's own tenant id; None: left to Graph to refuse."""
    allowed: frozenset[str] = frozenset()
    """Domains, `*.domain` for all below one, and tenant ids; empty: all that are not denied."""
    denied: frozenset[str] = frozenset()
    tenant_only: bool = False
    """Whether domains that no tenant has may not be connected."""
    public_mail: bool = False
    """Whether domains at which anybody can get an address may be connected."""
    ways_in: WaysIn = field(default_factory=WaysIn)
    callback_hosts: tuple[str, ...] = ()
    """Which hosts may be called back, `*.domain` for all below one; empty: none."""

    def refusal(
        self,
        request: OnboardingRequest,
        channel: str,
        tenant: Tenant | None = None,
        *,
        has_none: bool = False,
    ) -> Refusal | None:
        """Judge by all that is known. `tenant`: the one behind the identity source.

        `has_none`: it was looked for, and there is none.
        """
        faults = [*self._faults(request, channel, tenant), *self._not_allowed(request, tenant)]
        if self.tenant_only and has_none:
            faults.append(_fault("tenantOnly", "No tenant of Microsoft Entra has this domain."))
        return Refusal(tuple(faults)) if faults else None

    def early_refusal(self, request: OnboardingRequest, channel: str) -> Refusal | None:
        """Judge before the tenant is known, by which the request may yet turn out to be allowed."""
        faults = tuple(self._faults(request, channel, None))
        return Refusal(faults) if faults else None

    def callback_refusal(self, address: str | None) -> Refusal | None:
        """Judge the address of a callback alone. None asks for no callback."""
        faults = tuple(self._callback_faults(address))
        return Refusal(faults) if faults else None

    def _faults(
        self, request: OnboardingRequest, channel: str, tenant: Tenant | None
    ) -> Iterator[Fault]:
        names = _names(request, tenant)
        if names & {PERSONAL_ACCOUNTS}:
            yield _fault("personalAccounts", "Personal Microsoft accounts are no organization.")
        if self.home_tenant is not None and self.home_tenant in names:
            yield _fault("homeTenant", "It is the company's own tenant, which is no partner.")
        if any(is_listed(name, self.denied) for name in names):
            yield _fault("denied", "The partner is on the list of those that are denied.")
        if isinstance(request.identity_source, DomainIdentitySource):
            yield from self._domain_faults(request.identity_source.domain_name)
        yield from self._unreachable(request)
        yield from self._not_taken(request, channel)
        yield from self._callback_faults(request.callback_url)

    def _callback_faults(self, address: str | None) -> Iterator[Fault]:
        if address is not None and (fault := callback_url_fault(address, self.callback_hosts)):
            yield Fault(pointer="/callbackUrl", detail=fault, rule="callback")

    def _not_allowed(self, request: OnboardingRequest, tenant: Tenant | None) -> Iterator[Fault]:
        if self.allowed and not any(
            is_listed(name, self.allowed) for name in _names(request, tenant)
        ):
            yield _fault("notAllowed", "The partner is not on the list of those that are allowed.")

    def _unreachable(self, request: OnboardingRequest) -> Iterator[Fault]:
        source = request.identity_source
        if not isinstance(source, CrossCloudAzureActiveDirectoryTenant):
            return
        if source.cloud_instance == self.cloud.instance:
            text = "It is in this cloud itself; use #microsoft.graph.azureActiveDirectoryTenant."
            yield _fault("cloud", text)
        elif source.cloud_instance not in self.cloud.partners:
            text = f"Tenants of {source.cloud_instance} can't be connected from this cloud."
            yield _fault("cloud", text)

    def _domain_faults(self, domain: str) -> Iterator[Fault]:
        """Judge a domain by what it is known for. An entry in `allowed` takes precedence."""
        if is_listed(domain, self.allowed):
            return
        if not self.public_mail and is_public_mail(domain):
            text = f"Anybody can get an address at this mail provider, {_NOBODYS}"
            yield _fault("publicMail", text)
        if is_disposable(domain):
            text = f"This domain gives out addresses for a short time, {_NOBODYS}"
            yield _fault("disposable", text)
        if is_public_suffix(domain):
            text = f"Names below {domain} belong to many owners. Use the partner's own domain."
            yield _fault("publicSuffix", text)
        host, _, rest = domain.partition(".")
        if host == _WEB_HOST and "." in rest:
            text = f"It is the name of a web server. Did you mean {rest}?"
            yield _fault("webHost", text)

    def _not_taken(self, request: OnboardingRequest, channel: str) -> Iterator[Fault]:
        """Hold it against the table of ways in, as if the organization stood already."""
        refused = {
            effect for effect in effects_of(request) if not self.ways_in.take(effect, channel)
        }
        if Effect.CONNECT in refused:
            text = f"Requests that come in by {channel} may only ask for the state 'proposed'."
            yield Fault(pointer="/state", detail=text, rule="proposedOnly")
        if refused & ON_STANDING:
            text = f"Requests that come in by {channel} may not change what exists."
            yield Fault(pointer="/ifExists", detail=text, rule="updates")


def _names(request: OnboardingRequest, tenant: Tenant | None) -> set[str]:
    """Return everything that a list may know the partner by: domain, tenant id, default domain."""
    names: list[str | None] = [request.identity_source.partner_name]
    if tenant is not None:
        names += [tenant.tenant_id, tenant.default_domain_name]
    return {name.lower() for name in names if name}


def _fault(rule: str, detail: str) -> Fault:
    return Fault(pointer=_SOURCE, detail=detail, rule=rule)
