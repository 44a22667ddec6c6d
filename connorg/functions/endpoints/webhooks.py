"""The HTTP function of webhooks."""

import azure.functions as func

from connorg.functions.http.parameters import takes_anything


@takes_anything
async def receive(req: func.HttpRequest) -> func.HttpResponse:
    """POST webhooks/{source}: the sender proves itself by what it sends, as its source declares."""
    from connorg.functions.endpoints import webhook_deliveries  # noqa: PLC0415  other calls' cold start goes without

    return await webhook_deliveries.answer(req)
