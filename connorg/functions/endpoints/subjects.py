"""The HTTP function of "Add connectedOrganization" (beta): a requestor's organization."""

import re

import azure.functions as func

from connorg.contract.changes import OrganizationReference, SubjectOrganization
from connorg.contract.history import Step
from connorg.contract.parsing import parse
from connorg.contract.problems import ProblemError, ProblemKind
from connorg.functions.endpoints.organizations import refused_problem
from connorg.functions.http.answers import done
from connorg.functions.http.parameters import body_of
from connorg.wiring import admin, services

_ID = re.compile(r"(?!\.)[0-9A-Za-z_.-]{1,128}")  # `..` would be another path


async def add_organization(req: func.HttpRequest) -> func.HttpResponse:
    """POST access-package-assignment-requests/{requestId}/resource-roles/…/connected-organization

    A body with `@odata.id` is sent as OData has it (PUT); any other as the page has it (POST).
    """
    request_id, role_id = _id_of(req, "requestId"), _id_of(req, "resourceRoleId")
    body = body_of(req)
    if b'"@odata.id"' in body:
        organization_id = parse(OrganizationReference, body).organization_id
        refused = await services().throttle.ask(
            lambda: admin().set_on_subject(request_id, role_id, organization_id)
        )
    else:
        fields = parse(SubjectOrganization, body).model_dump(mode="json", exclude_none=True)
        refused = await services().throttle.ask(
            lambda: admin().add_to_subject(request_id, role_id, fields)
        )
    if refused is not None:
        raise refused_problem(refused)
    return func.HttpResponse(status_code=204, headers=done(Step.UPDATED))


def _id_of(req: func.HttpRequest, name: str) -> str:
    text = str(req.route_params.get(name, ""))
    if not _ID.fullmatch(text):
        raise ProblemError(ProblemKind.INVALID_PARAMETER, f"{name} is no id of Microsoft Graph.")
    return text
