"""A Functions host for this machine: `python -m infra.local.functions_host --port N --app DIR`.

Microsoft's worker library (azure-functions-runtime) indexes the app and runs its functions, as on
Azure. This package is the part in front of it, with the rules of the real host:

    __main__     start, and the order in which things start
    host         what runs of an app, and what of it is in error
    worker       the worker library, and the only place that knows it
    definition   what the app declares; faults in it, and what this host cannot run
    invoker      one invocation: id, trace context, log lines, function timeout
    http_front   HTTP triggers; keys (keys), routes (routing, route_template), how many at once
                 (throttle), other origins (cors), the host's own pages (admin_pages), what goes
                 out (answers)
    queue_pump   queue triggers; which queues (queues), what a function gets (queue_message),
                 how a message stays hidden (queue_lease), how long to wait (polling), how calls
                 to storage are repeated (storage_calls)
    timer        timer triggers; NCRONTAB (schedule)
    host_json    the configuration

It does as recordings of the real host show (`tests/recorded/host`), or refuses: at the start with a
sentence, or with `501 NotEmulated`. Where the real host differs, the module that does says so
("Differs").
"""

DEFAULT_FUNCTION_KEY = "local-function-key"
DEFAULT_MASTER_KEY = "local-master-key"
# When storage refuses a call of a queue: the platform starts the host again, and so does
# `infra.local up`.
STOPPED_BY_STORAGE_EXIT_CODE = 75
