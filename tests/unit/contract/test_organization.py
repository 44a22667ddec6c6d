"""Organizations as Graph tells of them: their version, and in what they are otherwise."""

from datetime import UTC, datetime

import pytest

from connorg.contract.changes import OrganizationChanges
from connorg.contract.fields import CHANGEABLE, RequestField
from connorg.contract.organization import ConnectedOrganization, Difference, differences

HELD = ConnectedOrganization(id="1", display_name="Contoso", state="configured")


@pytest.mark.parametrize("field", CHANGEABLE, ids=lambda field: field.name)
def test_the_etag_is_another_one_where_anything_was_changed(field: RequestField) -> None:
    assert HELD.model_copy(update={field.name: "another"}).etag != HELD.etag
    assert HELD.model_copy(update={"modified_date_time": datetime.now(UTC)}).etag == HELD.etag


def test_what_is_not_asked_for_is_no_difference() -> None:
    assert differences({"display_name": "Contoso"}, HELD.attributes) == ()
    asked = {"description": "A partner", "state": "proposed"}
    assert differences(asked, HELD.attributes) == (
        Difference(attribute="description", requested="A partner", actual=None),
        Difference(attribute="state", requested="proposed", actual="configured"),
    )


def test_a_change_leaves_the_other_attributes_as_they_are() -> None:
    changes = OrganizationChanges.model_validate({"state": "proposed"})
    assert changes.wanted_of(HELD) == {"display_name": "Contoso", "state": "proposed"}
