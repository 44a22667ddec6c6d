"""The tenants that the emulator knows of, and the users and groups of the home tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from infra.local.graph.errors import no_such_object
from infra.local.graph.model import NAMESPACE
from infra.local.graph.sources import DOMAIN, Source, tenant_source, type_of
from infra.local.graph.wire import ControlModel
from infra.local.tokens import HOME_TENANT_ID


class User(ControlModel):
    id: str
    user_principal_name: str
    display_name: str | None = None


class Group(ControlModel):
    id: str
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class DirectoryObject:
    """``type_name`` is without the namespace; ``properties`` are as Graph's JSON has them."""

    type_name: str
    properties: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.properties["id"])

    def typed(self) -> dict[str, Any]:
        """As where any object of the directory is allowed, so that its type is required."""
        return {"@odata.type": f"#{NAMESPACE}{self.type_name}", **self.properties}


class Tenant(ControlModel):
    """The default domain is one of the tenant's, whether ``domains`` repeats it or not."""

    tenant_id: str
    display_name: str
    default_domain_name: str
    domains: list[str] = Field(default=[])
    users: list[User] = Field(default=[])
    groups: list[Group] = Field(default=[])

    def information(self) -> dict[str, Any]:
        return {
            "tenantId": self.tenant_id,
            "federationBrandName": None,
            "displayName": self.display_name,
            "defaultDomainName": self.default_domain_name,
        }


_TENANTS = TypeAdapter(Annotated[list[Tenant], Field(min_length=1)])
_HOME = Tenant(tenant_id=HOME_TENANT_ID, display_name="Home", default_domain_name="home.example")


def read_tenants(value: object) -> list[Tenant]:
    """Raise pydantic.ValidationError."""
    return _TENANTS.validate_python(value)


class Directory:
    """The first tenant is the home tenant, the one whose directory callers read."""

    def __init__(self, tenants: Sequence[Tenant] = (_HOME,)) -> None:
        self._by_id = {tenant.tenant_id.casefold(): tenant for tenant in tenants}
        self._by_domain = {
            domain.casefold(): tenant
            for tenant in tenants
            for domain in (tenant.default_domain_name, *tenant.domains)
        }
        home = self.home = tenants[0]
        self._objects: dict[str, DirectoryObject] = {}
        self._by_name: dict[str, DirectoryObject] = {}
        for user in home.users:
            self.learn(DirectoryObject("user", user.model_dump(by_alias=True)))
        for group in home.groups:
            self.learn(DirectoryObject("group", group.model_dump(by_alias=True)))

    def learn(self, item: DirectoryObject) -> None:
        self._objects[item.id.casefold()] = item
        if name := item.properties.get("userPrincipalName"):
            self._by_name[name.casefold()] = item

    def tenant(self, tenant_id: str) -> Tenant | None:
        return self._by_id.get(tenant_id.casefold())

    def tenant_of_domain(self, domain: str) -> Tenant | None:
        return self._by_domain.get(domain.casefold())

    def find(self, object_id: str) -> DirectoryObject:
        """Raise GraphError 404, as the next one does."""
        item = self._objects.get(object_id.casefold())
        if item is None:
            raise no_such_object(object_id)
        return item

    def find_as(self, type_name: str, key: str) -> DirectoryObject:
        """A user may be asked for by principal name too."""
        named = self._by_name.get(key.casefold()) if type_name == "user" else None
        item = named or self.find(key)
        if item.type_name != type_name:
            raise no_such_object(key)
        return item

    def typed(self, object_id: str) -> dict[str, Any]:
        """An object with its type; of one that is gone its id is left."""
        item = self._objects.get(object_id.casefold())
        return (item or DirectoryObject("directoryObject", {"id": object_id})).typed()

    def resolve(self, source: Source) -> Source:
        """What Graph stores: the tenant, where a domain is registered to one."""
        if type_of(source) != DOMAIN:
            return source
        tenant = self.tenant_of_domain(source["domainName"] or "")
        return tenant_source(tenant.tenant_id, tenant.display_name) if tenant else source
