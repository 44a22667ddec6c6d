"""Functions that answer what they were given, fail, wait and crash, for tests of the host."""
# ruff: noqa: ARG001 - the worker hands over every binding, by the name of its parameter

import asyncio
import base64
import json
import logging
import os
import sys
import threading
from typing import Any

import azure.functions as func
from azure.functions.warmup import WarmUpContext

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
records: list[dict[str, Any]] = []
released = asyncio.Event()
at_import = {
    "is_in_a_loop": asyncio.get_running_loop().is_running(),
    "root_level": logging.getLevelName(logging.getLogger().level),
    "root_handlers": len(logging.getLogger().handlers),
}


def as_json(value: Any) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), mimetype="application/json")


# HTTP: what a function is given


@app.route("echo/{rest?}")
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return as_json(
        {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "params": dict(req.params),
            "route": dict(req.route_params),
            "body": base64.b64encode(req.get_body()).decode(),
            "traceparent": context.trace_context.trace_parent,
            "function": context.function_name,
        }
    )


@app.route("order/{id}")
async def b_parameter(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"parameter {req.route_params['id']}")


@app.route("order/literal")
async def C_literal(req: func.HttpRequest) -> func.HttpResponse:  # noqa: N802 - order of names
    return func.HttpResponse("literal")


@app.route("only-post", methods=["POST"])
async def only_post(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("posted")


@app.route("level/function", auth_level="function")
async def level_function(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


@app.route("level/admin", auth_level="admin")
async def level_admin(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")


# HTTP: what a function answers


@app.route("answer")
async def answer(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(b"\x00tea", status_code=418, headers={"X-Pot": "short"})
    response.headers["content-type"] = "application/x-tea"
    response.headers.add("set-cookie", "one=1; Path=/api; HttpOnly")
    response.headers.add("set-cookie", "two=a/b; SameSite=Lax")
    return response


@app.route("text")
async def text(req: func.HttpRequest) -> str:
    return "plain"


@app.route("none")
async def none(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]


@app.route("mapping")
async def mapping(req: func.HttpRequest) -> func.HttpResponse:
    return {"a": 1}  # type: ignore[return-value]


@app.route("fail")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("the secret of the traceback")


@app.route("wait")
async def wait(req: func.HttpRequest) -> func.HttpResponse:
    await released.wait()
    records.append({"function": "wait"})
    return func.HttpResponse("waited")


@app.route("wait-in-thread")
def wait_in_thread(req: func.HttpRequest) -> func.HttpResponse:
    threading.Event().wait()
    return func.HttpResponse("never")


@app.route("block")
async def block(req: func.HttpRequest) -> func.HttpResponse:
    threading.Event().wait()
    return func.HttpResponse("never")


@app.route("exit")
async def leave(req: func.HttpRequest) -> func.HttpResponse:
    sys.exit(7)


@app.route("release")
async def release(req: func.HttpRequest) -> func.HttpResponse:
    released.set()
    return func.HttpResponse("released")


# The worker


@app.route("where/async")
async def where_async(req: func.HttpRequest) -> func.HttpResponse:
    return as_json({"is_main": threading.current_thread() is threading.main_thread(), **at_import})


@app.route("where/sync")
def where_sync(req: func.HttpRequest) -> func.HttpResponse:
    return as_json({"is_main": threading.current_thread() is threading.main_thread()})


@app.route("records")
async def list_records(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(records)


@app.warm_up_trigger("warmup")
async def warm_up(warmup: WarmUpContext) -> None:
    records.append({"function": "warm_up"})
    raise RuntimeError("a failing warm-up")


@app.timer_trigger("timer", "%TIMER_SCHEDULE%", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    records.append({"function": "tick", "past_due": timer.past_due})


# Queues


@app.queue_trigger("message", "%WORK_QUEUE%", "AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> Any:
    return act(message, "work")


@app.queue_trigger("message", "%WORK_QUEUE%-poison", "AzureWebJobsStorage")
async def poisoned(message: func.QueueMessage) -> Any:
    return act(message, "poisoned")


def act(message: func.QueueMessage, function: str) -> Any:
    """Record the message, then do what its text says."""
    body = message.get_body().decode()
    records.append(
        {
            "function": function,
            "body": body,
            "id": message.id,
            "dequeue_count": message.dequeue_count,
            "pop_receipt": message.pop_receipt,
            "dates": [
                str(message.insertion_time),
                str(message.expiration_time),
                str(message.time_next_visible),
            ],
        }
    )
    match body.split():
        case ["fail", *_]:
            raise RuntimeError("told to fail")
        case ["return", *_]:
            return "a value"
        case ["crash", *_] if message.dequeue_count == 1:
            os._exit(9)
    return None
