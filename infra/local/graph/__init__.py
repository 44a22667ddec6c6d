"""An emulator of the part of Microsoft Graph that connected organizations need.

Sources: the pages "connectedOrganization resource type", "Create connectedOrganization" and their
neighbours in the Microsoft Graph reference (v1.0 and beta), the service's own CSDL metadata, and
answers seen from the live service. State is in memory; ``/_emulator`` looks into it and sets it.

What nobody has published is assumed, and can be changed by ``PUT /_emulator/config`` where a
client could notice:

- A second organization for a tenant is ``ConnectedOrganizationAlreadyExists``, one for a domain
  ``IdentityProviderAlreadyConfigured``. Both codes are known, which is for what is not. The status
  is ``duplicateStatus``. A domain and a federation of the same domain do not collide.
- Two organizations may have the same displayName, unless ``uniqueDisplayNames``.
- One organization too many is answered with ``limitStatus`` and ``limitCode``.
- A sponsor added twice stays one, unless ``repeatedSponsorStatus`` is an error's.
- An unknown property, one that cannot be written, or sponsors inline in a create are refused.
- Any tenant id may be connected, known to ``PUT /_emulator/tenants`` or not.
- Text in filters is compared without regard to case. A page has 100 organizations.
- What ``refusals`` names, in ``errors.Situation``: an observed status, code and message of any of
  them, as the live suite records them, takes the place of what is assumed here.
- Codes of 400, 401 and 404 for entitlement management; a fault rule can put others in their place.
- There is no Location header in the 201: none of the documented captures has one.
- A right that is assigned twice is refused with 400 and the sentence seen from the live service.
- Users and groups exist in the home tenant alone, guests included.
"""

from infra.local.graph.app import create_app

__all__ = ["create_app"]
