"""Breaks of the local Functions host that the replay of recordings must notice."""

from tests.mutations.mutation import Mutation

_ANSWERS = (
    "tests/contract/test_functions_host_replay.py"
    "::test_the_host_answers_as_recorded_but_for_what_differs_on_purpose"
)
_CALLS = (
    "tests/contract/test_functions_host_queue_replay.py"
    "::test_the_pump_calls_storage_as_the_listener_does"
)

MUTATIONS = (
    Mutation(
        "functions are tried in the order of their names in lower case",
        "infra/local/functions_host/routing.py",
        old="key=lambda function: function.name.upper()",
        new="key=lambda function: function.name.lower()",
        killed_by=_ANSWERS,
    ),
    Mutation(
        "a full host looks at keys before it refuses",
        "infra/local/functions_host/http_front.py",
        old="if is_full:\n            return web.Response(status=429",
        new="if is_full and found:\n            return web.Response(status=429",
        killed_by=_ANSWERS,
    ),
    Mutation(
        "a message is poison when its last try comes",
        "infra/local/functions_host/queue_pump.py",
        old="message.dequeue_count > self.options.max_dequeue_count",
        new="message.dequeue_count >= self.options.max_dequeue_count",
        killed_by=_CALLS,
    ),
    Mutation(
        "a refusal of storage is tried on for ever",
        "infra/local/functions_host/storage_calls.py",
        old="(fault.status_code or 0) >= SERVER_FAULT",
        new="(fault.status_code or 0) >= NOT_FOUND - 1",
        killed_by=_CALLS,
    ),
)
