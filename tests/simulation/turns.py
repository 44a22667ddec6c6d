"""What must hold of the pace, of the turns that are given out at it, and of how they are used.

The pace is in the gate, a row that all instances write. A turn is for the calls of one attempt.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connorg.core.throttle.gate import Gate
from connorg.core.throttle.pacer import Turn
from tests.simulation.calls import current_actor

if TYPE_CHECKING:
    from tests.simulation.calls import Actor
    from tests.simulation.world import Instance, World

CALLS_OF_A_TURN = 2  # the create, and the lookup of its tenant
_LOWEST, _HIGHEST = 1.0, 200.0  # calls per second
_MOST_DROPPED = 0.6  # of the pace, by one complaint
_MOST_GROWN = 1.4  # times, from one turn to the next
_OLDEST_READING = timedelta(seconds=0.05 + 0.001)  # before somebody asks; and rounding
_REMEMBERED = 10_000  # gates
_FRESH = timedelta(minutes=1)  # after a complaint the pace holds
_FORGOTTEN = timedelta(minutes=10)  # without a turn, then the pace begins anew
_SECOND = timedelta(seconds=1)
_MOMENT = 0.001  # seconds; dates in rows have microseconds
_CATCH_UP = 0.98  # of the distance of turns, for those who are late
_TOLERANCE = 2  # attempts in a second more than there are turns
_MANY = 40  # who met a closed gate; fewer come back at once by chance
_MOST_AT_ONCE = 0.6  # of them, in a second of the five that they have


class TurnInvariants:
    def __init__(self, world: "World", check: Callable[[bool, str], None]) -> None:
        self._world = world
        self._check = check
        self._came: defaultdict[Instance | None, deque[tuple[datetime, timedelta]]]
        self._came = defaultdict(deque)
        """By instance, when attempts came in the last second, and how far their turns are apart.
        None: those of all instances that came in time."""
        self._stood: deque[tuple[Gate, datetime]] = deque(maxlen=_REMEMBERED)
        """The gate as it stood before, and until when."""
        self._back: list[float] = []
        """How many seconds after the gate opens each of those who met it closed comes back."""

    @property
    def now(self) -> datetime:
        return self._world.now()

    # the gate

    def gate_read(self, actor: "Actor", gate: Gate, asked: datetime) -> None:
        """Somebody who asked for the gate goes by this reading of it."""
        actor.gate = gate
        oldest = asked - _OLDEST_READING
        stood = any(until >= oldest and one == gate for one, until in self._stood)
        self._check(
            stood or gate == self._world.invariants.gate,
            f"{actor.name} goes by a gate that it read too long ago, or that never stood so",
        )

    def gate_written(self, old: Gate, new: Gate) -> None:
        self._stood.append((old, self.now))
        actor = current_actor()
        self._check(_LOWEST <= new.pace <= _HIGHEST, f"the pace is {new.pace}")
        if actor.throttled and actor.step_began is not None:
            self._complained(old, new, actor.step_began)
        elif new.next_turn != old.next_turn:
            self._given_out(old, new, actor)
        else:
            self._check(new.paces == old.paces, "the pace changed though nobody took a turn")

    def _complained(self, old: Gate, new: Gate, called_at: datetime) -> None:
        """Graph told the writer to call less often."""
        if old.slowed_at is not None:
            known = max(old.slowed_at, old.closed_until or old.slowed_at)
            if called_at <= known:  # it was made before anybody could know
                self._check(new.paces == old.paces, "one complaint slowed the pace twice")
                return
        slowed = new.slowed_at is not None and new.slowed_at >= called_at
        self._check(slowed, "Graph complained, and the pace did not change")
        taken = _taken_before(old, called_at)
        lower = new.pace < taken or new.pace == _LOWEST
        self._check(lower, f"Graph complained of a pace of {taken}, and it became {new.pace}")
        least = max(_LOWEST, (1 - _MOST_DROPPED) * taken)
        self._check(new.pace >= least, f"one complaint slowed {taken} to {new.pace}")
        voided = new.next_turn == new.slowed_at
        self._check(voided, "turns that were given out before a complaint are not given anew")

    def _given_out(self, old: Gate, new: Gate, actor: "Actor") -> None:
        if new.next_turn is None or actor.changed_gate_at is None:
            self._check(False, "turns were given out outside the gate")  # noqa: FBT003
            return
        asked_at = actor.changed_gate_at
        self._check_growth(old, new, asked_at)
        first = max(asked_at, old.closed_until or asked_at, old.next_turn or asked_at)
        turns = (new.next_turn - first).total_seconds() * new.pace / CALLS_OF_A_TURN
        waiting = sum(other.waits_for_turn for other in actor.instance.actors)
        self._check(turns > 1 - _MOMENT, f"{turns:.3f} turns were given out, less than one")
        self._check(
            turns < waiting + _MOMENT * new.pace,
            f"{actor.instance.name} took {turns:.1f} turns for {waiting} attempts",
        )

    def _check_growth(self, old: Gate, new: Gate, asked_at: datetime) -> None:
        if old.next_turn is None or asked_at - old.next_turn > _FORGOTTEN:
            return
        fresh = old.slowed_at is not None and asked_at - old.slowed_at < _FRESH
        most = old.pace if fresh else _MOST_GROWN * old.pace
        self._check(
            old.pace <= new.pace <= most, f"from one turn to the next, {old.pace} became {new.pace}"
        )

    # turns

    def turn_came(self, actor: "Actor", turn: Turn) -> None:
        """Somebody goes on to call Graph."""
        actor.turn = turn
        now = self._world.now()
        late = (now - turn.at).total_seconds()
        self._check(late >= -_MOMENT, f"{actor.name} came {-late:.3f} s before its turn")
        valid = actor.gate is None or not actor.gate.voids(turn.taken_at)
        self._check(valid, f"{actor.name} came at a turn that a complaint had voided")
        self._count(actor.instance, now, turn.apart * _CATCH_UP)
        if late <= _MOMENT:
            self._count(None, now, turn.apart)

    def _count(self, whose: "Instance | None", now: datetime, apart: timedelta) -> None:
        came = self._came[whose]
        came.append((now, apart))
        while came[0][0] <= now - _SECOND:
            came.popleft()
        most = _SECOND / min(apart for _, apart in came) + _TOLERANCE
        who = "all instances" if whose is None else whose.name
        self._check(len(came) <= most, f"{len(came)} attempts of {who} in a second, not {most:.1f}")

    def graph_called(self, actor: "Actor") -> None:
        actor.step_began = actor.step_began or self._world.now()
        came = actor.turn is not None or not actor.takes_turns
        self._check(came, f"{actor.name} called Graph without a turn")

    # a closed gate

    def put_back(self, due: datetime | None, delay: float) -> None:
        """Work that is due at a time (None: now) goes back to the queue for some seconds."""
        moment = self._world.now() + timedelta(seconds=delay)
        if due is None or due < moment:
            self.met_closed_gate(moment)

    def met_closed_gate(self, moment: datetime) -> None:
        """Somebody met a closed gate and comes back then."""
        closed = self._world.invariants.gate.closed_until
        after = (moment - closed).total_seconds() if closed is not None else -1
        if closed is not None and after >= -_MOMENT:  # else it knew of a shorter closure
            self._back.append(after)

    def at_rest(self) -> None:
        if len(self._back) < _MANY:
            return
        at_once = max(sum(one <= other < one + 1 for other in self._back) for one in self._back)
        few = at_once <= _MOST_AT_ONCE * len(self._back)
        self._check(few, f"{at_once} of {len(self._back)} came back at once when the gate opened")


def _taken_before(gate: Gate, called_at: datetime) -> float:
    """Return the highest pace of the second before a call."""
    ends = (*(pace.since for pace in gate.paces[1:]), called_at)
    paces = [
        pace.calls
        for pace, end in zip(gate.paces, ends, strict=False)
        if pace.since <= called_at and end >= called_at - _SECOND
    ]
    return max(paces, default=gate.paces[0].calls if gate.paces else gate.pace)
