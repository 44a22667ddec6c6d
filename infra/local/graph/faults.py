"""Faults on demand: rules that tests set, of which the first that matches a call is used."""

import json
import random
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from infra.local.graph.calls import Answer, error_answer
from infra.local.graph.config import Seconds, Status
from infra.local.graph.errors import DEFAULT_CODES, GraphError, throttled
from infra.local.graph.wire import ControlModel

# Faults that answer without doing what was asked, and so fit an item of a batch too.
REFUSALS = ("status", "throttle", "html", "raw")

_DEFAULT_SECONDS = {"hang": 3600.0, "delay": 1.0}
_HTML = "<!DOCTYPE html><html><body><h1>Our services aren't available right now</h1></body></html>"


class _Rule(ControlModel):
    """``path`` is searched for in the decoded path and query. ``times`` None is for ever;
    ``probability`` is rolled with a generator of the rule's own, so that the same ``seed`` strikes
    the same calls."""

    method: str | None = None
    path: re.Pattern[str] = re.compile("")
    times: int | None = Field(default=None, gt=0)
    probability: float = Field(default=1, ge=0, le=1)
    seed: int = 0


class RawRule(_Rule):
    """Answers with ``body`` as it is, after the call was carried out if ``commit``."""

    fault: Literal["raw"]
    status: Status
    headers: dict[str, str] = Field(default={})
    body: str = ""
    commit: bool = False

    @property
    def commits(self) -> bool:
        return self.commit

    def is_about(self, _: str) -> bool:
        return True

    def answer(self, _: Mapping[str, str]) -> Answer:
        return Answer(self.status, self.body, self.headers)


class FaultRule(_Rule):
    """``body`` is searched for in the JSON that was sent, written without spaces. ``retry_after``
    goes out as it is given."""

    fault: Literal[
        "status",
        "throttle",
        "html",
        "reset",
        "close",
        "hang",
        "delay",
        "commit_then_reset",
        "commit_then_status",
    ]
    body: re.Pattern[str] = re.compile("")
    status: Status = 503
    code: str | None = None
    retry_after: int | float | str | None = None
    seconds: Seconds | None = None

    @property
    def commits(self) -> bool:
        return self.fault in {"delay", "commit_then_reset", "commit_then_status"}

    def is_about(self, sent: str) -> bool:
        return bool(self.body.search(sent))

    def wait(self) -> float:
        return _DEFAULT_SECONDS[self.fault] if self.seconds is None else self.seconds

    def answer(self, ids: Mapping[str, str]) -> Answer:
        if self.fault == "throttle":
            after = 1 if self.retry_after is None else self.retry_after
            return error_answer(throttled(str(after)), ids)
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.fault == "html":
            return Answer(self.status, _HTML, headers, "text/html")
        code = self.code or DEFAULT_CODES.get(self.status, "UnknownError")
        return error_answer(
            GraphError(self.status, code, "A fault that was asked for.", headers), ids
        )


type Rule = Annotated[FaultRule | RawRule, Field(discriminator="fault")]

_RULES: TypeAdapter[list[FaultRule | RawRule]] = TypeAdapter(list[Rule])


def read_rules(value: object) -> list[Rule]:
    """Raise pydantic.ValidationError."""
    return _RULES.validate_python(value)


class _Armed:
    """A rule and how much of it is used up."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._left = rule.times
        self._random = random.Random(rule.seed)

    def strikes(self, method: str, path: str, body: str) -> bool:
        """Whether this call has the fault; counts it as a use if so."""
        if self._left == 0 or (self.rule.method and self.rule.method.upper() != method):
            return False
        if not (self.rule.path.search(path) and self.rule.is_about(body)):
            return False
        if self._random.random() >= self.rule.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class Faults:
    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._armed = [_Armed(rule) for rule in rules]

    def pick(
        self, method: str, path: str, body: Any, among: Collection[str] | None = None
    ) -> Rule | None:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        for armed in self._armed:
            if among is not None and armed.rule.fault not in among:
                continue
            if armed.strikes(method, path, text):
                return armed.rule
        return None
