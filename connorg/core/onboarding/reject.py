"""Keep what can't be done as it came: as a failed onboarding, where operators find it."""

import hashlib

from connorg.contract.identifiers import new_onboarding_id, new_result_key, split_id
from connorg.contract.onboarding import Onboarding, OnboardingError, Status
from connorg.core.domain import lifecycle
from connorg.core.ports import KeyReservation
from connorg.core.services import Services
from connorg.telemetry import hooks as telemetry

_LONGEST_TEXT = 8 * 1024  # characters that are kept; a row's JSON must stay below 32 K of them


def unreadable(
    services: Services, channel: str, text: str, reference: str | None = None
) -> Onboarding:
    """Return the onboarding of what holds no request that could be understood."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    now = services.clock.now()
    return Onboarding(
        id=new_onboarding_id(f"message:{digest}", now, services.random),
        status=Status.NOT_STARTED,
        channel=channel,
        request=None,
        reference=reference,
        created_date_time=now,
        last_action_date_time=now,
        give_up_date_time=now,
        result_key=new_result_key(),
        message_text=_readable(text[:_LONGEST_TEXT]),
    )


async def record_failed(
    services: Services, onboarding: Onboarding, error: OnboardingError
) -> Onboarding:
    """Write a new onboarding down as failed. Raise StorageUnavailableError."""
    kept = await services.ledger.record(lifecycle.fail(onboarding, error, services.clock.now()))
    telemetry.set_onboarding(kept.id)
    telemetry.accepted()
    telemetry.concluded(kept)
    return kept


async def record_failed_once(
    services: Services, onboarding: Onboarding, error: OnboardingError, delivery: str
) -> Onboarding:
    """Write it down once, however often the same delivery brings it. `delivery` names that one.

    Raise StorageUnavailableError.
    """
    partition, _ = split_id(onboarding.id)
    reserved = await services.ledger.reserve_key(
        f"kept:{onboarding.channel}",
        f"{partition}:{error.code}:{delivery}",
        KeyReservation(error.code, onboarding.id),
    )
    onboarding = onboarding.model_copy(update={"id": reserved.onboarding_id})
    return await record_failed(services, onboarding, error)


def _readable(text: str) -> str:
    """Replace what is unreadable: a control character takes six in JSON, too many for a row."""
    return "".join(c if c.isprintable() or c in "\n\r\t" else "\ufffd" for c in text)
