"""The HTTP functions of organizations in Graph: list, read, change, delete, sponsors."""

import re
from collections.abc import Mapping

import azure.functions as func
from pydantic.alias_generators import to_camel

from connorg.contract.changes import NewSponsor, OrganizationChanges
from connorg.contract.faults import Fault
from connorg.contract.fields import CHANGEABLE
from connorg.contract.history import Step
from connorg.contract.identity_sources import (
    NAME_LENGTH,
    SOURCE_KINDS,
    DomainName,
    TenantId,
    source_type,
)
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.parsing import InvalidValuesError, parse
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.contract.requests import State
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain.outcomes import Refused, SponsorSettled
from connorg.core.organizations import (
    change_organization,
    delete_organization,
    forget_organization,
    read_organization,
    withdraw_sponsor,
)
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.functions.http.answers import done, json_answer, page_answer
from connorg.functions.http.callers import actor_of
from connorg.functions.http.csv_answers import csv_page, wants_csv
from connorg.functions.http.headers import IF_MATCH
from connorg.functions.http.parameters import (
    CONTINUATION,
    TOP,
    body_of,
    choice,
    refused,
    takes,
    text,
    typed,
)
from connorg.wiring import admin, services

_ROUTE = "connected-organizations"
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_KEY_FIELDS = tuple(
    dict.fromkeys(to_camel(name) for kind in SOURCE_KINDS.values() for name in kind.key)
)
COLUMNS = (
    "id",
    *(field.wire_name for field in CHANGEABLE),
    "identitySource",
    *_KEY_FIELDS,
    "createdDateTime",
    "modifiedDateTime",
)
NAME = text("displayName", "The name, exactly.", NAME_LENGTH)
STATE = choice("state", "The state.", State)
DOMAIN = typed(
    "domainName",
    "The domain of its identity source.",
    DomainName,
    {"type": "string", "minLength": 1, "maxLength": 1024},
)
TENANT = typed(
    "tenantId", "The tenant of its identity source.", TenantId, {"type": "string", "format": "uuid"}
)
CONFIRMATION = text("displayName", "Its name, to confirm the delete.", NAME_LENGTH)


@takes(NAME, STATE, DOMAIN, TENANT, TOP, CONTINUATION)
async def list_all(req: func.HttpRequest) -> func.HttpResponse:
    """GET connected-organizations"""
    which, top, continuation = _filter_of(req), TOP.of(req), CONTINUATION.of(req)
    page = await services().throttle.ask(lambda: admin().list(which, top, continuation))
    if not isinstance(page, OrganizationPage):
        if continuation is not None:
            raise refused(page.error.message, "Start again without it.")
        raise refused_problem(page)
    if wants_csv(req):
        return csv_page(COLUMNS, map(csv_row, page.organizations), page.continuation, _ROUTE, req)
    shown = [_shown(organization) for organization in page.organizations]
    return page_answer(shown, page.continuation, _ROUTE, req)


async def read(req: func.HttpRequest) -> func.HttpResponse:
    """GET connected-organizations/{id}"""
    return _answer(await _found(req))


@takes(IF_MATCH)
async def change(req: func.HttpRequest) -> func.HttpResponse:
    """PATCH connected-organizations/{id}"""
    changes = parse(OrganizationChanges, body_of(req))
    organization = await _found(req)
    if IF_MATCH.is_given(req):
        _check_version(req, organization)
    changed = await change_organization(services(), organization, changes.wanted_of(organization))
    if isinstance(changed, Refused):
        raise refused_problem(changed)
    return _answer(changed, done(Step.UPDATED))


@takes(IF_MATCH, CONFIRMATION)
async def delete(req: func.HttpRequest) -> func.HttpResponse:
    """DELETE connected-organizations/{id}, confirmed by its name or If-Match"""
    organization = await read_organization(services(), _id_of(req))
    if isinstance(organization, Refused):
        known = organization.not_found and await forget_organization(
            services(), _id_of(req), actor_of()
        )
        if known:
            return _done(Step.DELETED)  # somebody deleted it elsewhere
        raise refused_problem(organization)
    _check_confirmation(req, organization)
    refused = await delete_organization(services(), admin(), organization.id, actor_of())
    if refused is not None and not refused.not_found:
        raise refused_problem(refused)
    return _done(Step.DELETED)


async def list_sponsors(req: func.HttpRequest) -> func.HttpResponse:
    """GET connected-organizations/{id}/{kind}"""
    organization_id, kind = _id_of(req), _kind_of(req)
    held = await services().throttle.ask(lambda: services().gateway.sponsors(organization_id, kind))
    if isinstance(held, Refused):
        raise refused_problem(held)
    shown = [sponsor.model_dump(mode="json", exclude_none=True) for sponsor in held]
    return json_answer({"value": shown}, 200)


async def add_sponsor(req: func.HttpRequest) -> func.HttpResponse:
    """POST connected-organizations/{id}/{kind}"""
    # First: a missing organization and a missing sponsor have different codes.
    organization = await _found(req)
    new = parse(NewSponsor, body_of(req))
    sponsorship = Sponsorship(kind=_kind_of(req), sponsor=new.sponsor)
    settled = await services().throttle.ask(
        lambda: services().gateway.add_sponsor(organization.id, sponsorship)
    )
    if isinstance(settled, SponsorSettled) and settled.warning is not None:
        fault = Fault(pointer="/sponsor", detail=settled.warning.message)
        raise InvalidValuesError((fault,))
    return _done(Step.SPONSOR, "added")


async def remove_sponsor(req: func.HttpRequest) -> func.HttpResponse:
    """DELETE connected-organizations/{id}/{kind}/{sponsor}"""
    sponsor = str(req.route_params.get("sponsor", "")).lower()
    sponsorship = Sponsorship.model_construct(kind=_kind_of(req), sponsor=sponsor)
    removed = await withdraw_sponsor(services(), admin(), _id_of(req), sponsorship)
    if isinstance(removed, Refused):
        raise refused_problem(removed)
    if not removed:
        raise ProblemError(
            ProblemKind.SPONSOR_NOT_FOUND,
            f"The organization has no such sponsor among its {sponsorship.kind}.",
            "List its sponsors.",
        )
    return _done(Step.SPONSOR, "removed")


async def _found(req: func.HttpRequest) -> ConnectedOrganization:
    organization = await read_organization(services(), _id_of(req))
    if isinstance(organization, Refused):
        raise refused_problem(organization)
    return organization


def _id_of(req: func.HttpRequest) -> str:
    organization_id = str(req.route_params.get("id", ""))
    if not _ID.fullmatch(organization_id):
        raise _not_found()
    return organization_id


def _kind_of(req: func.HttpRequest) -> SponsorKind:
    by_name = {kind.value.lower(): kind for kind in SponsorKind}
    kind = by_name.get(str(req.route_params.get("kind", "")).lower())
    if kind is None:
        known = " and ".join(SponsorKind)
        raise ProblemError(
            ProblemKind.SPONSOR_NOT_FOUND,
            f"The kinds of sponsors are {known}.",
            "Name one.",
        )
    return kind


def _filter_of(req: func.HttpRequest) -> OrganizationFilter:
    return OrganizationFilter(
        display_name=NAME.of(req),
        state=STATE.of(req),
        domain_name=DOMAIN.of(req),
        tenant_id=TENANT.of(req),
    )


def _check_version(req: func.HttpRequest, organization: ConnectedOrganization) -> None:
    if not {organization.etag, "*"} & (IF_MATCH.of(req) or set()):
        raise ProblemError(
            ProblemKind.PRECONDITION_FAILED,
            "The organization was changed since, or If-Match names another one.",
            "Read it again and use its ETag.",
            headers={"ETag": organization.etag},
        )


def _check_confirmation(req: func.HttpRequest, organization: ConnectedOrganization) -> None:
    name, versions = CONFIRMATION.of(req), IF_MATCH.of(req)
    if name is None and (versions is None or "*" in versions):
        raise ProblemError(
            ProblemKind.CONFIRMATION_REQUIRED,
            "A delete must confirm which organization it deletes.",
            "Send If-Match with the organization's ETag, or ?displayName= with its name.",
        )
    if versions is not None:
        _check_version(req, organization)
    if name is not None and name != organization.display_name:
        raise ProblemError(
            ProblemKind.PRECONDITION_FAILED,
            "The organization has another displayName.",
            "Read it, and send its name as it is.",
        )


def refused_problem(refused: Refused) -> ProblemError:
    if refused.not_found:
        return _not_found()
    error = refused.error
    return ProblemError(
        ProblemKind.REFUSED_BY_GRAPH,
        error.message,
        error.action,
        graph_code=error.graph_code,
        graph_request_id=error.graph_request_id,
    )


def _not_found() -> ProblemError:
    return ProblemError(
        ProblemKind.ORGANIZATION_NOT_FOUND,
        "No connected organization has this id.",
        "List the organizations; a new one may be listed a little later than it is created.",
    )


def _done(step: Step, outcome: str = "") -> func.HttpResponse:
    return func.HttpResponse(status_code=204, headers=done(step, outcome))


def _answer(
    organization: ConnectedOrganization, headers: Mapping[str, str] = {}
) -> func.HttpResponse:
    return json_answer(_shown(organization), 200, {"ETag": organization.etag, **headers})


def _shown(organization: ConnectedOrganization) -> dict[str, object]:
    return organization.model_dump(mode="json", exclude_none=True)


def csv_row(organization: ConnectedOrganization) -> Mapping[str, str]:
    """Return its cells. As a row of a file they ask for the organization as it is."""
    shown = _shown(organization)
    row = {name: str(shown[name]) for name in COLUMNS if name in shown}
    for source in organization.identity_sources[:1]:
        fields = source.model_dump(exclude_none=True)
        row |= {name: str(fields[name]) for name in _KEY_FIELDS if name in fields}
        row["identitySource"] = source_type(source) or ""
    return row
