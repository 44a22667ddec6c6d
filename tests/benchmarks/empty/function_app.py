"""Nothing: what the host itself costs."""

import azure.functions as func

app = func.FunctionApp()


@app.route("connected-organizations", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def nothing(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker's name for it
    return func.HttpResponse(status_code=201)
