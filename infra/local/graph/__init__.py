"""An emulator of the part of Microsoft Graph that connected organizations need.

It answers as the real part did, or says ``501 NotEmulated``; it never gives a plausible wrong
answer. What a query or a body means, and how a bad one is refused, is recorded from Microsoft's own
OData library over Graph's metadata (``tests/recorded/graph``), and replayed against this emulator.
The rest is from the pages "connectedOrganization resource type", "Create connectedOrganization" and
their neighbours in the Microsoft Graph reference (v1.0 and beta), and from answers seen from the
live service. State is in memory; ``/_emulator`` looks into it and sets it.

app, batch, routes, access, throttling, faults   from the connection to the call, and what cuts in
paths, query                                     addresses and options
grammar, binding, values, model                  expressions: trees, meaning, values, types
json_reader, bodies, drafts                      bodies: as JSON, by the model, as Graph wants them
handlers, rights_handlers, pages                 what each call does, and how it is shown
organizations, sources, directory, rights        what the tenant holds
calls, errors, config, state, control, laying, wire

What nobody has published is assumed, and can be changed by ``PUT /_emulator/config`` where a
client could notice:

- A second organization for a tenant is ``ConnectedOrganizationAlreadyExists``, one for a domain
  ``IdentityProviderAlreadyConfigured``. Both codes are known, which is for what is not. The status
  is ``duplicateStatus``. A domain and a federation of the same domain do not collide.
- Two organizations may have the same displayName, unless ``uniqueDisplayNames``.
- One organization too many is answered with ``limitStatus`` and ``limitCode``.
- A sponsor added twice stays one, unless ``repeatedSponsorStatus`` is an error's.
- What a caller may write is what the pages name. A change of anything else, and sponsors in a
  body, are not emulated.
- Any tenant id may be connected, known to ``PUT /_emulator/tenants`` or not.
- ``filters``: text is compared exactly, as the library does it in memory. ``top``: ``$top`` is the
  size of a page, as Graph's documents have it; the library takes it for a limit. A page has 100
  organizations, or ``pageSize``.
- An organization that ``holds`` names is in use and not deleted: documents say so of organizations
  that policies or assignments name, and leave the answer out.
- A refusal of a body has the code ``RequestBodyRead``, one of a query ``BadRequest``: seen in
  public reports, of other resources.
- A new organization's id comes after the ids before it, so that a list, which is ordered by id as
  the library orders it, begins with the oldest.
- What ``refusals`` names, in ``errors.Situation``: an observed status, code and message of any of
  them, as the live suite records them, takes the place of what is assumed here.
- Codes of 400, 401 and 404 for entitlement management; a fault rule can put others in their place.
- There is no Location header in the 201: none of the documented captures has one.
- A right that is assigned twice is refused with 400 and the sentence seen from the live service.
- Users and groups exist in the home tenant alone, guests included.
"""

from infra.local.graph.app import create_app

__all__ = ["create_app"]
