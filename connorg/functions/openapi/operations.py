"""What is said of each HTTP function, by its name: its summary, what it takes, what it answers."""

from collections.abc import Mapping

from connorg.contract.batch_views import BatchForecast, BatchView, RowResults
from connorg.contract.changes import (
    NewSponsor,
    OrganizationChanges,
    OrganizationReference,
    SubjectOrganization,
)
from connorg.contract.forecast import Forecast
from connorg.contract.forgetting import Forgotten
from connorg.contract.health import Health
from connorg.contract.onboarding import OnboardingView, OnboardingWithHistory, Progress
from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.problems import ProblemKind as Kind
from connorg.contract.requests import OnboardingRequest
from connorg.contract.selection import Cancellations, Replays, Selection
from connorg.contract.sponsors import SponsorObject
from connorg.contract.summary import Summary
from connorg.functions.openapi.parts import (
    Answer,
    Document,
    ListOf,
    Operation,
)

_BODY = (Kind.MALFORMED_BODY, Kind.BODY_TOO_LARGE, Kind.INVALID_VALUES)
_STORAGE = (Kind.STORAGE_UNAVAILABLE,)
_GRAPH = (Kind.REFUSED_BY_GRAPH, Kind.GRAPH_UNAVAILABLE)
_ENDED = (
    Kind.ALREADY_CONNECTED,
    Kind.IDENTITY_SOURCE_IN_USE,
    Kind.ONBOARDING_CANCELED,
    Kind.ONBOARDING_FAILED,
)
_POINTERS = ("Location", "Operation-Location")
_DONE = "Connorg-Step"


def _report(of: type[ConnectedOrganization]) -> Answer:
    return Answer(
        "All such organizations; as CSV if Accept says text/csv.",
        (ListOf(of, is_continued=False),),
        media_types=("application/json", "text/csv"),
    )


OPERATIONS: Mapping[str, Operation] = {
    "SubmitOrganization": Operation(
        "Onboard an organization",
        "Creates the connected organization of a partner, exactly once however often it is sent.",
        {
            200: Answer(
                "It exists, or was onboarded before; with dryRun, what would happen.",
                (OnboardingView, Forecast),
                more_headers=(*_POINTERS, "Preference-Applied", _DONE),
            ),
            201: Answer(
                "It was created.",
                (OnboardingView,),
                (*_POINTERS, _DONE),
                ("Preference-Applied",),
            ),
            202: Answer(
                "It is stored and will be done. Poll Location, which needs no key.",
                (OnboardingView,),
                (*_POINTERS, "Retry-After", _DONE),
                ("Preference-Applied",),
            ),
        },
        (
            *_BODY,
            *_ENDED,
            Kind.REFUSED_BY_POLICY,
            Kind.IDEMPOTENCY_KEY_REUSED,
            *_STORAGE,
            *_GRAPH,
        ),
        request=(OnboardingRequest,),
    ),
    "ListOrganizations": Operation(
        "List the organizations",
        "Lists the connected organizations in Graph.",
        {
            200: Answer(
                "A page of organizations; as CSV if Accept says text/csv.",
                (ListOf(ConnectedOrganization),),
                more_headers=("Link",),
                media_types=("application/json", "text/csv"),
            )
        },
        (*_STORAGE, *_GRAPH),
    ),
    "ReportWithoutSponsors": Operation(
        "Report organizations without sponsors",
        "Lists all organizations that have no sponsor; with kind, none of that kind.",
        {200: _report(SponsoredOrganization)},
        (*_STORAGE, Kind.GRAPH_UNAVAILABLE),
    ),
    "ReportProposed": Operation(
        "Report organizations that stay proposed",
        "Lists all organizations that are proposed and were not changed for a time, oldest first.",
        {200: _report(ConnectedOrganization)},
        (*_STORAGE, Kind.GRAPH_UNAVAILABLE),
    ),
    "ReportUnrequested": Operation(
        "Report organizations without a request here",
        "Lists all organizations that are the result of no onboarding.",
        {200: _report(ConnectedOrganization)},
        (*_STORAGE, Kind.GRAPH_UNAVAILABLE),
    ),
    "ReadOrganization": Operation(
        "Read an organization",
        "Reads a connected organization from Graph.",
        {200: Answer("The organization.", (ConnectedOrganization,), ("ETag",))},
        (Kind.ORGANIZATION_NOT_FOUND, *_STORAGE, *_GRAPH),
    ),
    "ChangeOrganization": Operation(
        "Change an organization",
        "Changes the name, description or state of a connected organization.",
        {200: Answer("The organization as it is now.", (ConnectedOrganization,), ("ETag", _DONE))},
        (*_BODY, Kind.ORGANIZATION_NOT_FOUND, Kind.PRECONDITION_FAILED, *_STORAGE, *_GRAPH),
        request=(OrganizationChanges,),
    ),
    "DeleteOrganization": Operation(
        "Delete an organization",
        "Deletes a connected organization that If-Match or displayName confirms.",
        {204: Answer("It is deleted.", headers=(_DONE,))},
        (
            Kind.ORGANIZATION_NOT_FOUND,
            Kind.PRECONDITION_FAILED,
            Kind.CONFIRMATION_REQUIRED,
            *_STORAGE,
            *_GRAPH,
        ),
    ),
    "ListSponsors": Operation(
        "List the sponsors",
        "Lists the internal or external sponsors of an organization.",
        {200: Answer("The sponsors.", (ListOf(SponsorObject, is_continued=False),))},
        (Kind.ORGANIZATION_NOT_FOUND, Kind.SPONSOR_NOT_FOUND, *_STORAGE, *_GRAPH),
    ),
    "AddSponsor": Operation(
        "Add a sponsor",
        "Adds a user or a group to the sponsors of an organization.",
        {204: Answer("It is a sponsor.", headers=(_DONE,))},
        (*_BODY, Kind.ORGANIZATION_NOT_FOUND, Kind.SPONSOR_NOT_FOUND, *_STORAGE, *_GRAPH),
        request=(NewSponsor,),
    ),
    "RemoveSponsor": Operation(
        "Remove a sponsor",
        "Removes a user or a group from the sponsors of an organization.",
        {204: Answer("It is not a sponsor any more.", headers=(_DONE,))},
        (Kind.ORGANIZATION_NOT_FOUND, Kind.SPONSOR_NOT_FOUND, *_STORAGE, *_GRAPH),
    ),
    "AddOrganizationToSubject": Operation(
        "Add an organization to a requestor",
        "Microsoft Graph's Add connectedOrganization (beta), by its body or by reference.",
        {204: Answer("It is added.", headers=(_DONE,))},
        (*_BODY, Kind.ORGANIZATION_NOT_FOUND, *_STORAGE, *_GRAPH),
        request=(SubjectOrganization, OrganizationReference),
    ),
    "ListOnboardings": Operation(
        "List the onboardings",
        "Lists onboardings, newest first.",
        {
            200: Answer(
                "A page of onboardings; as CSV if Accept says text/csv.",
                (ListOf(OnboardingView),),
                more_headers=("Link",),
                media_types=("application/json", "text/csv"),
            )
        },
        _STORAGE,
    ),
    "CountOnboardings": Operation(
        "Count the onboardings",
        "Counts onboardings by status, error code, channel and hour, and says whether"
        " Microsoft Graph may be called now.",
        {200: Answer("The counts.", (Summary,))},
        _STORAGE,
    ),
    "ReadOnboarding": Operation(
        "Read an onboarding",
        "Returns the status of an onboarding.",
        {200: Answer("The onboarding, with what was tried.", (OnboardingWithHistory,))},
        (Kind.ONBOARDING_NOT_FOUND, *_STORAGE),
    ),
    "ReadResult": Operation(
        "Wait for the result",
        "For pollers, which need no key: 202 until it is done.",
        {
            200: Answer("The organization.", (ConnectedOrganization,), _POINTERS),
            202: Answer("It is not done yet.", (Progress,), (*_POINTERS, "Retry-After")),
        },
        (
            Kind.UNAUTHENTICATED,
            Kind.ONBOARDING_NOT_FOUND,
            *_ENDED,
            *_STORAGE,
        ),
    ),
    "ReplayOnboarding": Operation(
        "Replay an onboarding",
        "Retries a failed onboarding.",
        {
            202: Answer(
                "The retry was accepted.", (OnboardingView,), (*_POINTERS, "Retry-After", _DONE)
            )
        },
        (
            Kind.ONBOARDING_NOT_FOUND,
            Kind.ONBOARDING_NOT_REPLAYABLE,
            Kind.ALREADY_CONNECTED,
            *_STORAGE,
        ),
    ),
    "ReplayAll": Operation(
        "Replay those that failed",
        "Retries the failed onboardings that match the filters or have the ids, 500 a call.",
        {
            200: Answer("The onboardings that would be replayed.", (Replays,)),
            202: Answer("Those that are replayed.", (Replays,), (_DONE,)),
        },
        (*_BODY, *_STORAGE),
        request=(Selection,),
        is_optional=True,
    ),
    "CancelAll": Operation(
        "Cancel those that wait",
        "Cancels the onboardings that match the filters or have the ids and wait, 500 a call.",
        {
            200: Answer(
                "Those that are canceled, or would be.", (Cancellations,), more_headers=(_DONE,)
            )
        },
        (*_BODY, *_STORAGE),
        request=(Selection,),
        is_optional=True,
    ),
    "CancelOnboarding": Operation(
        "Cancel an onboarding",
        "Cancels an onboarding that waits.",
        {200: Answer("It is canceled.", (OnboardingView,), (*_POINTERS, _DONE))},
        (Kind.ONBOARDING_NOT_FOUND, Kind.ONBOARDING_NOT_CANCELABLE, *_STORAGE),
    ),
    "ForgetPartner": Operation(
        "Forget a partner",
        "Erases what connorg stores of one partner, if nothing of it is under way.",
        {200: Answer("What is erased, or would be.", (Forgotten,))},
        (Kind.PARTNER_UNDER_WAY, *_STORAGE),
    ),
    "SubmitBatch": Operation(
        "Onboard many organizations",
        "Takes a file of partners as CSV, a JSON array or NDJSON, 5,000 rows and 4 MB at most.",
        {
            200: Answer("With dryRun: what would happen to each row.", (BatchForecast,)),
            202: Answer(
                "It is stored and will be done.", (BatchView,), (*_POINTERS, "Retry-After", _DONE)
            ),
        },
        (*_BODY, Kind.IDEMPOTENCY_KEY_REUSED, *_STORAGE, *_GRAPH),
        request=(OnboardingRequest,),
        takes_many=True,
    ),
    "ReadBatch": Operation(
        "Read a batch",
        "Returns the progress of a batch.",
        {200: Answer("The status of the batch.", (BatchView,))},
        (Kind.BATCH_NOT_FOUND, *_STORAGE),
    ),
    "ReadBatchResults": Operation(
        "Read the results of a batch",
        "Returns the result of each row, in the order of the file.",
        {
            200: Answer(
                "The rows; as CSV if Accept says text/csv.",
                (RowResults,),
                media_types=("application/json", "text/csv"),
            )
        },
        (Kind.BATCH_NOT_FOUND, *_STORAGE),
    ),
    "ReplayBatch": Operation(
        "Replay a batch",
        "Retries the failed rows of a batch.",
        {202: Answer("The retry was accepted.", (BatchView,), (*_POINTERS, "Retry-After", _DONE))},
        (Kind.BATCH_NOT_FOUND, *_STORAGE),
    ),
    "CancelBatch": Operation(
        "Cancel a batch",
        "Cancels the rows of a batch that are not done.",
        {200: Answer("The status of the batch.", (BatchView,), (*_POINTERS, _DONE))},
        (Kind.BATCH_NOT_FOUND, *_STORAGE),
    ),
    "ReceiveWebhook": Operation(
        "Receive a webhook",
        "Takes an event of a ticketing system, which proves itself as its source declares.",
        {
            200: Answer("It was done before.", (OnboardingView,), (*_POINTERS, _DONE)),
            202: Answer(
                "It is stored and will be done.",
                (OnboardingView,),
                (*_POINTERS, "Retry-After", _DONE),
            ),
            204: Answer("The event does not count."),
        },
        (
            Kind.MALFORMED_BODY,
            Kind.UNAUTHENTICATED,
            Kind.BODY_TOO_LARGE,
            Kind.INVALID_VALUES,
            Kind.ONBOARDING_FAILED,
            *_STORAGE,
        ),
        takes_any=True,
    ),
    "Health": Operation(
        "Return the health",
        "Says whether requests can be accepted, and whether Graph can be called.",
        {
            200: Answer("Requests are accepted.", (Health,)),
            503: Answer("Nothing can be accepted.", (Health,)),
        },
    ),
    "Diagnose": Operation(
        "Return the health in detail",
        "Says what the app's token permits, and which queue, table, secret or webhook has a fault.",
        {200: Answer("What was found.", (Health,))},
    ),
    "ShowConsole": Operation(
        "Show the console",
        "Answers with the page for operators, which calls this API from their browser.",
        {
            200: Answer("The page.", headers=("ETag",), media_types=("text/html",)),
            304: Answer("The page is as If-None-Match says.", headers=("ETag",)),
            308: Answer("The page is at the address without a slash at its end."),
        },
    ),
    "ShowConsoleFile": Operation(
        "Read a file of the console",
        "Answers with a script, the style sheet, the icon, or a licence.",
        {
            200: Answer(
                "The file.",
                headers=("ETag",),
                media_types=("text/javascript", "text/css", "image/svg+xml", "text/plain"),
            ),
            304: Answer("The file is as If-None-Match says.", headers=("ETag",)),
        },
        (Kind.FILE_NOT_FOUND,),
    ),
    "Describe": Operation(
        "Describe this API",
        "Returns this document.",
        {200: Answer("An OpenAPI document.", (Document,))},
    ),
    "ShowDocs": Operation(
        "Show this document",
        "Answers with a page that shows this document to people.",
        {200: Answer("The page.", media_types=("text/html",))},
    ),
}
