"""The tenants that the emulator knows of, and the users and groups of the home tenant."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, TypeAdapter

from infra.local.graph.errors import no_such_object
from infra.local.graph.sources import DOMAIN, TENANT, IdentitySource
from infra.local.graph.wire import ControlModel
from infra.local.tokens import HOME_TENANT_ID


class User(ControlModel):
    type_name: ClassVar = "user"

    id: str
    user_principal_name: str
    display_name: str | None = None

    def entity(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


class Group(ControlModel):
    type_name: ClassVar = "group"

    id: str
    display_name: str | None = None

    def entity(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)


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
    """Raises pydantic.ValidationError."""
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
        objects: list[User | Group] = [*home.users, *home.groups]
        self._objects = {item.id.casefold(): item for item in objects}
        self._by_name = {user.user_principal_name.casefold(): user for user in home.users}

    def tenant(self, tenant_id: str) -> Tenant | None:
        return self._by_id.get(tenant_id.casefold())

    def tenant_of_domain(self, domain: str) -> Tenant | None:
        return self._by_domain.get(domain.casefold())

    def find(self, object_id: str) -> User | Group:
        """Raises GraphError 404, as the next two do."""
        item = self._objects.get(object_id.casefold())
        if item is None:
            raise no_such_object(object_id)
        return item

    def user(self, key: str) -> User:
        """By object id or principal name."""
        item = self._by_name.get(key.casefold()) or self.find(key)
        if not isinstance(item, User):
            raise no_such_object(key)
        return item

    def group(self, object_id: str) -> Group:
        item = self.find(object_id)
        if not isinstance(item, Group):
            raise no_such_object(object_id)
        return item

    def resolve(self, source: IdentitySource) -> IdentitySource:
        """What Graph stores: the tenant, where a domain is registered to one."""
        if source.type_name != DOMAIN:
            return source
        tenant = self.tenant_of_domain(source.properties["domainName"] or "")
        if tenant is None:
            return source
        known = {"displayName": tenant.display_name, "tenantId": tenant.tenant_id}
        return IdentitySource(TENANT, known)
