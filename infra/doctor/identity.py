"""What Microsoft Entra says of the app's identity, as whoever is signed in may read it."""

from collections.abc import AsyncIterator

from infra.doctor.findings import Finding, fault, note, ok
from infra.grant.entra import EntraError, connected
from infra.grant.hand_over import TOKENS
from infra.grant.rights import GOVERNANCE, LOOKUP, WRITE


async def examine(principal_id: str) -> AsyncIterator[Finding]:
    grant = f"python -m infra.grant --principal-id {principal_id}"
    try:
        async with connected() as entra:
            principal = await entra.principal(principal_id)
            held = await entra.held(principal.id, (GOVERNANCE, WRITE, LOOKUP))
    except (EntraError, ValueError) as error:
        mend = "Sign in (az login) as somebody who may read Entra's roles, such as Global Reader."
        yield note("identity in Entra", f"Not examined. {error}", mend)
        return
    names = ", ".join(right.name for right in held)
    if GOVERNANCE in held or WRITE in held:
        yield ok("identity in Entra", f"{principal.name} has: {names}. {TOKENS}")
    else:
        text = f"{principal.name} has neither the {GOVERNANCE.name} nor the {WRITE.name}."
        yield fault("identity in Entra", text, grant)
    if GOVERNANCE in held and WRITE in held:
        text = f"{principal.name} has more than it needs: one of the two is enough."
        yield note("least privilege", text, f"Take the {WRITE.name} away.")
    if LOOKUP not in held:
        yield note(
            "tenant lookup in Entra", f"{principal.name} does not have the {LOOKUP.name}.", grant
        )
