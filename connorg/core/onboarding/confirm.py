"""Whether an organization that was onboarded a while ago still exists.

Somebody may have deleted it in Entra by hand. A new request for its identity source is
confirmed: one call to Graph, and if the organization is gone it is onboarded again. A known
request, such as a repeated delivery, gets the first result, and Graph is not asked.
"""

from datetime import datetime, timedelta

from connorg.contract.onboarding import Onboarding
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Refused
from connorg.core.domain.timing import Timing
from connorg.core.ports import SupersededError
from connorg.core.redelivery import POSTPONE
from connorg.core.services import Services
from connorg.core.throttle.throttle import GraphUnavailableError


class UnconfirmedError(SupersededError):
    """Graph can't be asked yet. `delay`: seconds after which the message must come again."""

    def __init__(self, holder: Onboarding, delay: float) -> None:
        super().__init__(f"whether the organization of {holder.id} still exists is not known yet")
        self.delay = delay


def is_in_question(holder: Onboarding, asked: datetime, now: datetime, timing: Timing) -> bool:
    """Whether the holder's organization may be gone by now, for a request made at `asked`.

    It was concluded more than minutes ago, and the request came after that: an older one is a
    message that is delivered again.
    """
    concluded = holder.last_action_date_time
    recently = now - concluded <= timedelta(seconds=timing.confirm_after)
    return holder.exists_in_graph and not recently and asked > concluded


async def is_gone(services: Services, holder: Onboarding) -> bool:
    """Ask Graph for the organization of a holder, and mark the holder if it is gone.

    Raise GraphUnavailableError, StorageUnavailableError.
    """
    result = holder.result
    if result is None:
        return False
    found = await services.throttle.ask(lambda: services.gateway.read(result.id))
    if not isinstance(found, Refused) or not found.not_found:
        return False
    try:
        await services.ledger.save(lifecycle.mark_deleted(holder, services.clock.now()))
    except SupersededError:  # somebody else found it out, or read its result back
        latest = await services.ledger.read(holder.id)
        return latest is None or not latest.exists_in_graph
    return True


async def is_gone_at_turn(services: Services, holder: Onboarding, *, patient: bool) -> bool:
    """As `is_gone`, for work from the queue: it takes a turn. Raise UnconfirmedError."""
    taken = await services.throttle.turn(None, patient=patient)
    if isinstance(taken, float):
        raise UnconfirmedError(holder, taken)
    turn, _ = taken
    await services.throttle.until(turn)
    try:
        return await is_gone(services, holder)
    except GraphUnavailableError as error:
        raise UnconfirmedError(holder, max(error.retry_after, POSTPONE)) from error
