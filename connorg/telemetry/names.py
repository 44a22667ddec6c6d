"""The names under which telemetry is found: alerts, queries and the workbook are built on them.

docs/monitoring.md says what each means.
"""

SCOPE = "connorg"
"""The instrumentation scope of every span and metric, and the root of the loggers."""

# Metrics.
ACCEPTED = "connorg.onboardings.accepted"
CONCLUDED = "connorg.onboardings.concluded"
WAITING = "connorg.onboardings.waiting"
OLDEST_WAITING = "connorg.onboarding.oldest_waiting"
ATTEMPTS = "connorg.attempts"
GRAPH_DURATION = "connorg.graph.duration"
GRAPH_THROTTLED = "connorg.graph.throttled"
GRAPH_BLOCKED = "connorg.graph.blocked"
POISONED = "connorg.messages.poisoned"
CHANGES = "connorg.changes"

# Spans. A call to Graph is named by its method and path.
ONBOARD = "onboard"
ARM = "arm"
OPEN = "open"
ATTEMPT = "attempt"
CONCLUDE = "conclude"
RESUME = "resume"
BURY = "bury"
CALLBACK = "callback"

# Attributes of spans and metrics.
ONBOARDING_ID = "onboarding_id"
ATTEMPT_NUMBER = "attempt"
OUTCOME = "outcome"
STATUS = "status"
CONCLUSION = "conclusion"
CODE = "code"
METHOD = "method"
STATUS_CLASS = "status_class"
QUEUE = "queue"
EFFECT = "effect"
REQUEST_ID = "graph_request_id"
HTTP_METHOD = "http.request.method"
HTTP_URL = "url.full"
HTTP_STATUS = "http.response.status_code"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_STACKTRACE = "exception.stacktrace"
