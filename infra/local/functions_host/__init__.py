"""A Functions host for this machine: `python -m infra.local.functions_host --port N --app DIR`.

Microsoft's worker library (azure-functions-runtime) indexes the app and runs its functions, as on
Azure. This package is the part in front of it, with the rules of the real host:

    __main__     start, and the order in which things start
    worker       the worker library, and the only place that knows it
    definition   what the app declares; what this host cannot run is refused
    invoker      one invocation: id, trace context, log lines, function timeout
    http_front   HTTP triggers; keys (keys) and routes (routing)
    queue_pump   queue triggers; which queues (queues), what a function gets (queue_message),
                 how a message stays hidden (queue_lease), how long to wait (polling)
    timer        timer triggers; NCRONTAB (schedule)
    host_json    the configuration

Where the real host differs, the module that does says so ("Differs").
"""

DEFAULT_FUNCTION_KEY = "local-function-key"
DEFAULT_MASTER_KEY = "local-master-key"
