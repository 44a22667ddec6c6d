"""connorg: every way in, a line each. What happens behind them is in connorg/functions."""

import azure.functions as func

from connorg.contract.effects import Role
from connorg.contract.storage_names import (
    BATCH_POISON_QUEUE,
    BATCH_QUEUE,
    CALLBACK_POISON_QUEUE,
    CALLBACK_QUEUE,
    ONBOARDING_QUEUE,
    POISON_QUEUE,
    STORAGE_CONNECTION,
)
from connorg.functions.endpoints import (
    batches,
    console,
    diagnosis,
    docs,
    forgetting,
    health,
    onboarding_lists,
    onboardings,
    organizations,
    reports,
    subjects,
    webhooks,
)
from connorg.functions.endpoints.openapi_json import openapi_handler
from connorg.functions.http.problem_boundary import Handler
from connorg.functions.http.route import Route
from connorg.functions.queues import batch, callback, onboarding
from connorg.functions.timers import observe, purge
from connorg.settings import telemetry

app = func.FunctionApp()
routes: list[Route] = []


def http(name: str, method: str, path: str, handler: Handler, role: Role | None) -> None:
    """Register an HTTP function for callers with the role; None: for anybody.

    The host tries routes in the order of these names, where a literal has no precedence over
    {id}: name functions so that x/{id} can't come before x/literal. What else a route needs is
    named by tests/unit/functions/test_routes.py.
    """
    routes.append(Route(name, method, path, handler, role))
    routes[-1].register(app)


SUBMIT, READ, MANAGE, DELETE = Role.SUBMIT, Role.READ, Role.MANAGE, Role.DELETE

http("SubmitOrganization", "POST", "connected-organizations", onboardings.submit, SUBMIT)
http("ListOrganizations", "GET", "connected-organizations", organizations.list_all, READ)
http("ReadOrganization", "GET", "connected-organizations/{id}", organizations.read, READ)
http("ChangeOrganization", "PATCH", "connected-organizations/{id}", organizations.change, MANAGE)
http("DeleteOrganization", "DELETE", "connected-organizations/{id}", organizations.delete, DELETE)
http(
    "ListSponsors", "GET", "connected-organizations/{id}/{kind}", organizations.list_sponsors, READ
)
http("AddSponsor", "POST", "connected-organizations/{id}/{kind}", organizations.add_sponsor, MANAGE)
http(
    "RemoveSponsor",
    "DELETE",
    "connected-organizations/{id}/{kind}/{sponsor}",
    organizations.remove_sponsor,
    MANAGE,
)
http(
    "AddOrganizationToSubject",
    "POST",
    "access-package-assignment-requests/{requestId}/resource-roles/{resourceRoleId}"
    "/connected-organization",
    subjects.add_organization,
    MANAGE,
)
http(
    "ReportWithoutSponsors",
    "GET",
    "reports/without-sponsors",
    reports.list_without_sponsors,
    READ,
)
http("ReportProposed", "GET", "reports/proposed", reports.list_proposed, READ)
http("ReportUnrequested", "GET", "reports/unrequested", reports.list_unrequested, READ)
http("ListOnboardings", "GET", "onboardings", onboarding_lists.list_all, READ)
http("CountOnboardings", "GET", "onboardings/summary", onboarding_lists.count, READ)
http("ReadOnboarding", "GET", "onboardings/{id}", onboardings.read, READ)
http("ReadResult", "GET", "onboardings/{id}/result", onboardings.result, None)
http("ReplayOnboarding", "POST", "onboardings/{id}/retry", onboardings.replay, MANAGE)
http("ReplayAll", "POST", "onboardings/retry", onboarding_lists.replay_all, MANAGE)
http("CancelAll", "POST", "onboardings/cancel", onboarding_lists.cancel_all, MANAGE)
http("CancelOnboarding", "DELETE", "onboardings/{id}", onboardings.cancel, MANAGE)
http("ForgetPartner", "POST", "onboardings/forget", forgetting.forget, DELETE)
http("SubmitBatch", "POST", "batches", batches.submit, SUBMIT)
http("ReadBatch", "GET", "batches/{id}", batches.read, READ)
http("ReadBatchResults", "GET", "batches/{id}/results", batches.read_results, READ)
http("ReplayBatch", "POST", "batches/{id}/retry", batches.replay, MANAGE)
http("CancelBatch", "DELETE", "batches/{id}", batches.cancel, MANAGE)
http("ReceiveWebhook", "POST", "webhooks/{source}", webhooks.receive, None)
http("Health", "GET", "health", health.health, None)
http("Diagnose", "GET", "health/details", diagnosis.diagnose, MANAGE)
http("ShowConsole", "GET", "console", console.page, None)
http("ShowConsoleFile", "GET", "console/{file}", console.file, None)
http("Describe", "GET", "openapi.json", openapi_handler(routes), None)
http("ShowDocs", "GET", "docs", docs.show, None)

app.function_name("ResumeOnboarding")(
    app.queue_trigger("msg", ONBOARDING_QUEUE, STORAGE_CONNECTION)(onboarding.on_message)
)
app.function_name("BuryOnboarding")(
    app.queue_trigger("msg", POISON_QUEUE, STORAGE_CONNECTION)(onboarding.on_poison)
)
app.function_name("ResumeRow")(
    app.queue_trigger("msg", BATCH_QUEUE, STORAGE_CONNECTION)(batch.on_message)
)
app.function_name("BuryRow")(
    app.queue_trigger("msg", BATCH_POISON_QUEUE, STORAGE_CONNECTION)(batch.on_poison)
)
app.function_name("CallBack")(
    app.queue_trigger("msg", CALLBACK_QUEUE, STORAGE_CONNECTION)(callback.on_callback)
)
app.function_name("BuryCallback")(
    app.queue_trigger("msg", CALLBACK_POISON_QUEUE, STORAGE_CONNECTION)(callback.on_poison)
)
app.function_name("PurgeLedger")(app.timer_trigger("timer", purge.EVERY_NIGHT)(purge.purge_ledger))
app.function_name("WarmUp")(app.warm_up_trigger("warm")(health.warm_up))
if telemetry().is_exported:
    # No monitor: a minute that is missed is not made up for, so nothing is kept of the last one.
    app.function_name("Observe")(
        app.timer_trigger("timer", observe.EACH_MINUTE, use_monitor=False)(observe.observe)
    )
