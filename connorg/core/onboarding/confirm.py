"""Whether an organization that was onboarded a while ago still stands.

Somebody may have deleted it in Entra by hand. A new request for its identity source is told the
truth: one call to Graph, and where the organization is gone it is onboarded again. What is known by
its key, a delivery that comes again among it, answers what the first came to and asks nobody.
"""

import asyncio
from datetime import datetime, timedelta

from connorg.contract.onboarding import Onboarding
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Refused
from connorg.core.domain.timing import Timing
from connorg.core.ports import SupersededError
from connorg.core.services import Services
from connorg.core.throttle.throttle import GraphUnavailableError

_PATIENCE = 5.0  # seconds; the caller waits, and may have a webhook's patience alone


def is_in_question(holder: Onboarding, now: datetime, timing: Timing) -> bool:
    """Whether its organization may be gone by now: it was concluded longer than minutes ago."""
    age = now - holder.last_action_date_time
    return holder.exists_in_graph and age > timedelta(seconds=timing.confirm_after)


async def is_gone(services: Services, holder: Onboarding) -> bool:
    """Ask Graph for the organization of a holder, and note where it is gone.

    False where nobody can tell now. Raise StorageUnavailableError.
    """
    result = holder.result
    if result is None:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await services.throttle.ask(lambda: services.gateway.read(result.id))
    except (GraphUnavailableError, TimeoutError):
        return False
    if not isinstance(found, Refused) or not found.not_found:
        return False
    try:
        await services.ledger.save(lifecycle.mark_deleted(holder, services.clock.now()))
    except SupersededError:  # somebody else found it out, or read its result back
        latest = await services.ledger.read(holder.id)
        return latest is None or not latest.exists_in_graph
    return True
