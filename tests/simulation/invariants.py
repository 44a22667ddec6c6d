"""What must hold in every schedule: checked at each write and each call, and once all is at rest.

What "no call while the gate is closed" means: an invocation asks for the gate before it takes its
lease, and goes by a reading that began a twentieth of a second before it asked, or later (`turns`
checks it). If that gate is closed, it makes no call before that gate opens. If Graph told it to
wait, it makes no further call, and before it writes its conclusion the gate is closed for at least
as long as Graph asked. So only those who asked for the gate before that write, or a twentieth of a
second after it, may still call. Where storage did not take the write, nobody else can know, and the
attempt stays without a conclusion.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connorg.contract.identifiers import partition_of
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.contract.problems import ErrorCode
from connorg.contract.requests import IfExists, OnboardingRequest
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Conflict, Reason, Submitted
from connorg.core.domain.outcomes import Blocked, Later
from connorg.core.onboarding.idempotency import Submission
from connorg.core.policy.rules import Refusal
from connorg.core.throttle.gate import Gate
from connorg.storage.entities import CLAIM, GATE, ONBOARDING, gate_of
from tests.simulation.calls import current_actor
from tests.simulation.turns import TurnInvariants

if TYPE_CHECKING:
    from tests.simulation.calls import Actor
    from tests.simulation.graph import Stored
    from tests.simulation.storage import Row
    from tests.simulation.world import World

_MOST_SPONSORS = 3
# By a source, its tenant and its name; all, in pages of one or two; whether filters work.
_CALLS_PER_SEARCH = 60
# Look the tenant up, search, create, search again, list two kinds of sponsors, update, add them.
_CALLS_PER_ATTEMPT = 5 + 2 * _CALLS_PER_SEARCH + _MOST_SPONSORS
# How much earlier than the end of its time an onboarding may give up: its next attempt would come
# too late.
_LONGEST_PAUSE = 1000.0
_GRACE = 0.001  # seconds; dates in rows have microseconds


class Invariants:
    def __init__(self, world: "World") -> None:
        self._world = world
        self.broken: str | None = None
        self.turns = TurnInvariants(world, self.check)
        self.gate = Gate()
        """As it is written."""
        self.accepted: dict[str, str] = {}
        """By onboarding id, who accepted it."""
        self.purged: dict[str, Onboarding] = {}
        """By id, as they were."""
        self.poisoned = 0
        self.callbacks_asked: list[tuple[str, str]] = []
        """Who asked for a callback by what was accepted, and to which address."""
        self._called_back: set[str] = set()
        self._produced: list[tuple[str, str, str]] = []
        self._attempts: dict[str, Actor] = {}
        """By natural key, who is between the first call to Graph and the return to storage."""
        self._replays: set[tuple[str, str]] = set()

    def check(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001
        """Only the first break counts: what follows is its consequence."""
        if not holds and self.broken is None:
            self.broken = f"at {self._world.loop.time():.3f} s: {otherwise}"
            self._world.note("INVARIANT", otherwise)
            self._world.loop.stop()

    @property
    def _now(self) -> float:
        return self._world.now().timestamp()

    # storage

    def row_written(self, old: "Row | None", new: "Row") -> None:
        if (new["PartitionKey"], new["RowKey"]) == GATE:
            self._gate_written(gate_of(new))
        elif new["RowKey"].startswith(ONBOARDING):
            self._onboarding_written(old, new)

    def row_deleted(self, row: "Row") -> None:
        if not row["RowKey"].startswith(ONBOARDING):
            return
        held = Onboarding.model_validate_json(row["Onboarding"])
        self._world.note("ledger", f"{held.id} is purged")
        kept = self._now - held.last_action_date_time.timestamp()
        self.check(held.status.terminal, f"{held.id} was purged while {held.status}")
        self.check(kept > self._world.timing.retention, f"{held.id} was purged after {kept:.0f} s")
        self.purged[held.id] = held

    def _gate_written(self, gate: Gate) -> None:
        before, after = _closed_until(self.gate), _closed_until(gate)
        self.check(after >= before, "the gate was closed for a shorter time than before")
        self.turns.gate_written(self.gate, gate)
        self.gate = gate

    def _onboarding_written(self, old: "Row | None", new: "Row") -> None:
        after = json.loads(new["Onboarding"])
        before = json.loads(old["Onboarding"]) if old is not None else None
        came_from = f"from {before['status']}" if before else "new"
        moved = f"{after['id']} {came_from} to {after['status']}"
        current_actor().step_began = None
        self._world.note("ledger", moved)
        self.check(_is_legal(before, after), f"not in the table of moves: {moved}")
        begins = before is None or before["attempts"] != after["attempts"]
        if after["status"] == Status.RUNNING and begins:
            self._begun(before, after)
        elif before is not None and before["status"] == Status.RUNNING:
            self._concluded(after)
        if before is not None and before["status"] == Status.FAILED != after["status"]:
            replay = (after["id"], after["replay"])
            self.check(replay not in self._replays, f"replay {replay} was carried out twice")
            self._replays.add(replay)

    def _begun(self, before: Mapping[str, Any] | None, after: dict[str, Any]) -> None:
        now = self._now
        due = before and before.get(
            "leaseUntil" if before["status"] == Status.RUNNING else "nextAttemptDateTime"
        )
        if due:
            early = datetime.fromisoformat(due).timestamp() - now
            self.check(early <= _GRACE, f"an attempt of {after['id']} began {early:.3f} s early")
        current_actor().begun = after

    def _concluded(self, after: Mapping[str, Any]) -> None:
        actor = current_actor()
        if actor.begun is None or actor.begun["id"] != after["id"]:
            return
        if actor.told_to_wait_until is not None:
            self.check(
                _closed_until(self.gate) >= actor.told_to_wait_until - _GRACE,
                "an attempt was concluded before the gate was closed for as long as Graph asked",
            )
        if after.get("conclusion"):
            for stored in self._world.graph.stored.values():
                stored.known |= stored.organization.id == after["result"]["id"]

    # Graph

    def graph_called(self, actor: "Actor", what: str, key: str) -> None:
        now = self._now
        key = key or (actor.begun or {}).get("id", "")
        self._world.note(actor.name, f"calls Graph: {what} {key}")
        self.check(actor.gate is not None, "Graph was called without a look at the gate")
        closed = _closed_until(actor.gate or Gate()) - now
        self.check(closed <= _GRACE, f"Graph was called {closed:.3f} s before the gate opened")
        self.check(actor.told_to_wait_until is None, "Graph was called after it told to wait")
        if actor.begun is None:
            # Before it begins anything, a request may read the organization that it meets.
            self.check(what == "read", "Graph was called without a lease")
        self.turns.graph_called(actor)
        if actor.begun is None:
            return
        rival = self._attempts.setdefault(key, actor)
        if not rival.instance.alive:
            rival = self._attempts[key] = actor
        self.check(rival is actor, f"two attempts at once at {key}: {rival.name} is at it too")
        actor.graph_calls += 1
        self.check(actor.graph_calls <= _CALLS_PER_ATTEMPT, f"too many calls by {actor.name}")
        if what == "create":
            self._posted(actor.begun, key)

    def _posted(self, begun: Mapping[str, Any], key: str) -> None:
        graph = self._world.graph
        self.check(
            self._world.posts_under_way[key] == 0,
            f"a second POST for {key} while Graph may still carry out an earlier one",
        )
        stored = graph.stored.get(graph.key_of(key))
        if stored is None or stored.natural_key != key:
            return
        # Its key may bind a repeat to the id of what was purged.
        own = stored.creator == begun["id"] and begun["id"] not in self.purged
        self.check(not own, f"a second POST for {key} by the onboarding that made it")
        self.check(
            stored.known or graph.is_listed(stored),
            f"a second POST for {key} while Graph does not list what one of unknown fate made",
        )

    def graph_left(self, actor: "Actor", called_at: datetime) -> None:
        """A call was answered or given up."""
        if actor.begun is None:
            return
        lease = datetime.fromisoformat(actor.begun["leaseUntil"]).timestamp()
        limit = lease - self._world.timing.lease_margin
        late = self._now - max(limit, called_at.timestamp())
        self.check(late <= _GRACE, f"a call lasted {late:.3f} s longer than an attempt may")

    def graph_answered(self, actor: "Actor", what: str, answer: object) -> None:
        if what == "lookup" and isinstance(answer, Blocked):
            # Nobody needs to look tenants up; that it may not be done stops nothing else.
            blocks = answer.error.code != "PermissionMissing"
            answer = answer if blocks else None
        now, timing = self._now, self._world.timing
        match answer:
            case Later(throttled=True, retry_after=seconds):
                actor.throttled = True
                pause = timing.shortest_backoff if seconds is None else seconds
                actor.told_to_wait_until = now + pause
            case Blocked():
                actor.told_to_wait_until = now + timing.blocked_retry

    def turned_to_storage(self, actor: "Actor") -> None:
        if actor.begun is not None:
            for key in [key for key, holder in self._attempts.items() if holder is actor]:
                del self._attempts[key]

    # callers

    def answered(
        self,
        who: str,
        submission: Submission,
        answer: Submitted | Conflict | Refusal,
        *,
        repeated: bool,
    ) -> None:
        """`repeated`: without a key, so that it can't be told from somebody else's request."""
        self._world.note(who, f"is answered {_shown(answer)}")
        if isinstance(answer, Refusal):
            return
        if isinstance(answer, Submitted):
            self.accepted[answer.onboarding.id] = who
            told = answer.onboarding.status in {Status.FAILED, Status.CANCELED}
            if submission.request.callback_url is not None and not told:
                self.callbacks_asked.append((who, submission.request.callback_url))
        elif answer.reason is not Reason.KEY_REUSED and answer.onboarding is not None:
            own = answer.onboarding.reference == submission.request.reference
            self.check(repeated or not own, f"{who} was told that its own onboarding is in its way")

    def produced(self, who: str, text: str, request: OnboardingRequest) -> None:
        """What a producer puts on the queue is accepted, readable or not."""
        self._world.note(who, f"puts {text}")
        self._produced.append((who, text, partition_of(request.natural_key)))

    def called_back(self, address: str, told: Mapping[str, Any]) -> None:
        """A receiver was told of an onboarding."""
        status = Status(told["status"])
        self.check(status.terminal, f"{address} was called back with {status}")
        self._called_back.add(address)

    def failed(self, who: str, error: BaseException) -> None:
        self.check(False, f"{who} raised {error!r}")  # noqa: FBT003

    # at rest

    def at_rest(self) -> None:
        left = [message for queue in self._world.queues for message in queue.messages]
        self.check(not left, f"messages are still on the queues: {left}")
        rows = self._world.table.rows
        onboardings: dict[str, Onboarding] = {
            held.id: held
            for (_, name), row in rows.items()
            if name.startswith(ONBOARDING)
            for held in [Onboarding.model_validate_json(row["Onboarding"])]
        }
        for onboarding_id, who in self.accepted.items():
            found = onboarding_id in onboardings.keys() | self.purged.keys()
            self.check(found, f"{onboarding_id}, accepted by {who}, is lost")
        for who, text, partition in self._produced:
            found = any(
                onboarding_id.startswith(partition) or held.message_text == text
                for onboarding_id, held in (onboardings | self.purged).items()
            )
            self.check(found, f"what {who} put on the queue is lost")
        for who, address in self.callbacks_asked:
            # What is asked of an onboarding in the moment in which it is purged is not told.
            excused = self.poisoned > 0 or bool(self.purged)
            made = address in self._called_back or excused
            self.check(made, f"{who} was never called back")
        for held in onboardings.values():
            self.check(held.status.terminal, f"{held.id} stays {held.status} for ever")
            self._check_conclusion(held)
            self._check_bounds(held)
        for (partition, name), row in rows.items():
            if name == CLAIM:
                holder = f"{partition}-{row['Holder']}"
                self.check(holder in onboardings, f"the claim of {holder} has no onboarding")
        self.turns.at_rest()
        for key, commits in self._world.graph.commits.items():
            self.check(commits == 1, f"{commits} organizations were created for {key}")

    def _check_conclusion(self, held: Onboarding) -> None:
        graph = self._world.graph
        stored = graph.stored.get(graph.key_of(held.request.natural_key)) if held.request else None
        if held.status is Status.SUCCEEDED:
            connected = stored and held.result and stored.organization.id == held.result.id
            self.check(bool(connected), f"{held.id} succeeded with what Graph does not have")
            if stored is not None and held.conclusion is not Conclusion.EXISTING:
                self._check_sponsors(held, stored)
        if held.status is not Status.FAILED or held.last_error is None:
            self.check(held.status is not Status.FAILED, f"{held.id} failed without a reason")
            return
        natural_key = held.request and held.request.natural_key
        early = (held.give_up_date_time - held.last_action_date_time).total_seconds()
        reasons: Mapping[str, bool] = {
            "RefusedByGraph": natural_key in graph.refused,
            "AlreadyConnected": held.request is not None
            and held.request.if_exists is IfExists.FAIL
            and stored is not None
            # Its own, changed by a request for the tenant behind the domain, looks like another's.
            and (
                stored.creator != held.id
                or held.id in self.purged
                or stored.organization.attributes != held.request.attributes
            ),
            "ConnectedButNotFound": stored is not None
            and not graph.may_look_up_tenants
            and graph.key_of(natural_key or "") != natural_key,
            "IdentitySourceInUse": True,
            "IdempotencyKeyReused": True,
            "GaveUp": early <= _LONGEST_PAUSE,
            "MessagePoisoned": self.poisoned > 0,
            "MessageUnreadable": held.request is None,
        }
        code = held.last_error.code
        self.check(reasons.get(code, False), f"{held.id} failed for no good reason: {code}")

    def _check_sponsors(self, held: Onboarding, stored: "Stored") -> None:
        """Each is added, or warned of."""
        asked = held.request.sponsorships if held.request else ()
        lacked = [s for s in asked if s.sponsor not in stored.sponsors[s.kind]]
        unknown = [s for s in lacked if s.sponsor in self._world.graph.unknown_sponsors]
        self.check(lacked == unknown, f"{held.id} succeeded without its sponsors {lacked}")
        warnings = [one for one in held.warnings if one.code != ErrorCode.NO_TENANT]
        told = len(warnings) == len(unknown)
        self.check(told, f"{held.id} has {len(warnings)} warnings for {unknown}")

    def _check_bounds(self, held: Onboarding) -> None:
        """Attempts come no closer than the shortest pause; in the long run it is far longer."""
        life = self._world.weather.ends
        most = 12 + min(life / self._world.timing.shortest_backoff, 200 + life / 45)
        self.check(held.attempts <= most, f"{held.id} made {held.attempts} attempts")


def _is_legal(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    if before is None:
        first = Status(after["status"])
        return first is Status.NOT_STARTED or first in lifecycle.MOVES[Status.NOT_STARTED]
    if before["status"] == after["status"] == Status.FAILED:
        # No move: a replay that was found needless is noted.
        return {**before, "replay": None} == {**after, "replay": None}
    return Status(after["status"]) in lifecycle.MOVES[Status(before["status"])]


def _closed_until(gate: Gate) -> float:
    return 0.0 if gate.closed_until is None else gate.closed_until.timestamp()


def _shown(answer: Submitted | Conflict | Refusal) -> str:
    if isinstance(answer, Refusal):
        return answer.error.message
    if isinstance(answer, Conflict):
        return f"{answer.reason.name}, see {answer.onboarding_id}"
    return f"{answer.onboarding.status} {answer.onboarding.id}"
