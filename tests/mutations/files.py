"""Breaks of what is read: files, events of senders, and words that say nothing."""

from tests.mutations.mutation import Mutation

_BLANKS = "tests/unit/contract/test_blanks.py"
_CONTENTS = "tests/unit/partner_files/test_contents.py"
_PROOF = "tests/unit/webhooks/test_proof.py"

MUTATIONS = (
    Mutation(
        "an organization may be named undefined",
        "connorg/contract/blanks.py",
        old="if folded in _WORDS or _MARKS.issuperset(text):",
        new="if _MARKS.issuperset(text):",
        killed_by=f"{_BLANKS}::test_where_a_value_must_be_a_word_for_none_is_refused_by_name",
    ),
    Mutation(
        "a tenant id that says n/a refuses the domain beside it",
        "connorg/contract/asking.py",
        old='elif name != "displayName" and name not in NAMING_FIELDS:',
        new='elif name != "displayName":',
        killed_by=f"{_BLANKS}::test_a_blank_beside_a_good_source_refuses_nothing",
    ),
    Mutation(
        "a blank description means something else in a webhook",
        "connorg/webhooks/mapping.py",
        old="{**dict.fromkeys(USUAL), **body}",
        new="body",
        killed_by=f"{_BLANKS}::test_a_blank_value_has_one_meaning_in_every_way_in",
    ),
    Mutation(
        "all deliveries with the id undefined are one",
        "connorg/webhooks/mapping.py",
        old="isinstance(found, str) and not is_blank(found)",
        new="isinstance(found, str)",
        killed_by=f"{_BLANKS}::test_no_delivery_is_known_by_a_word_for_nothing",
    ),
    Mutation(
        "the header must be the first row",
        "connorg/partner_files/spreadsheet.py",
        old="_PREAMBLE = 25",
        new="_PREAMBLE = 1",
        killed_by=f"{_CONTENTS}::test_the_header_is_found_below_what_stands_above_it",
    ),
    Mutation(
        "a domain outweighs the tenant id beside it",
        "connorg/partner_files/cells.py",
        old='name.field != "tenantId"',
        new='name.field == "tenantId"',
        killed_by=f"{_CONTENTS}::test_a_tenant_id_outweighs_a_domain_and_the_row_says_so",
    ),
    Mutation(
        "the apostrophe before a formula becomes a part of the name",
        "connorg/partner_files/cells.py",
        old='return _QUOTE.sub("", cell[1:]) if _QUOTED.match(cell) else cell',
        new="return cell",
        killed_by="tests/unit/functions/test_csv_answers.py::"
        "test_every_kind_of_organization_reads_back",
    ),
    Mutation(
        "an unsigned id stands in for the one that Svix signed",
        "connorg/webhooks/proof.py",
        old="return bool(names & of_svix) and not names & own",
        new="return bool(names & of_svix)",
        killed_by=f"{_PROOF}::test_the_two_families_of_headers_do_not_mix",
    ),
    Mutation(
        "what Stripe signed long ago is taken again",
        "connorg/webhooks/proof.py",
        old="        _compare_any(signatures, expected, self.header)\n"
        "        _check_time(datetime.fromtimestamp(int(time), UTC), now)\n",
        new="        _compare_any(signatures, expected, self.header)\n",
        killed_by=f"{_PROOF}::test_a_replay_outside_the_window_is_refused",
    ),
    Mutation(
        "a header may hold any number of signatures",
        "connorg/webhooks/proof.py",
        old="_MOST_SIGNATURES = 16",
        new="_MOST_SIGNATURES = 16_000",
        killed_by=f"{_PROOF}::test_one_good_signature_among_several_is_enough_in_any_place",
    ),
    Mutation(
        "a fault tells the address of a callback",
        "connorg/webhooks/mapping.py",
        old=' and place != "/callbackUrl"',
        new="",
        killed_by="tests/unit/webhooks/test_expressions.py::"
        "test_no_fault_gives_the_address_of_a_callback_away",
    ),
    Mutation(
        "ServiceNow believes an outcome that nobody signed",
        "docs/connect/servicenow.md",
        old="|| !sent.some(fits)) {",
        new=") {",
        killed_by="tests/unit/webhooks/test_scripts.py::"
        "test_servicenow_writes_nothing_that_is_not_signed_or_old",
    ),
)
