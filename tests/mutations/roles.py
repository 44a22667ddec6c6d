"""Breaks of what each way in may do, and of who is taken for whom."""

from tests.mutations.mutation import Mutation

_TABLE = "tests/unit/core/test_ways_in.py::"
_CLOSED = "tests/unit/functions/test_misconfigured.py::"
_TOKENS = "tests/contract/test_entra_tokens.py::"
_KIT = "tests/unit/functions/test_http_kit.py::"
_RESULT = "tests/unit/functions/test_result_answers.py::"
_TOKEN = "tests/unit/functions/test_result_tokens.py::"
_CLAIMS = "tests/unit/core/test_claims.py::"
_SENDERS = "tests/unit/webhooks/test_senders.py::"
_REQUESTS = "tests/unit/contract/test_requests.py::"
_SIZES = "tests/unit/core/test_sizes.py::"
_MAPPING = "tests/unit/webhooks/test_mapping.py::"
_STANDING = "tests/unit/core/test_standing.py::"
_ROLES = "tests/unit/functions/test_roles.py::"

MUTATIONS = (
    Mutation(
        "a batch gets round what http may only propose",
        "connorg/core/policy/ways_in.py",
        old="covered = _BY_CALLERS if channel == channels.BATCH else {channel}",
        new="covered = {channel}",
        killed_by=f"{_TABLE}test_each_way_in_takes_what_the_table_says",
    ),
    Mutation(
        "the queue updates what stands",
        "connorg/core/policy/ways_in.py",
        old="return channel in _BY_CALLERS or _is_named(channel, self.updates_from)",
        new="return True",
        killed_by=f"{_TABLE}test_each_way_in_takes_what_the_table_says",
    ),
    Mutation(
        "who may only propose also updates",
        "connorg/core/policy/ways_in.py",
        old="return effect is Effect.PROPOSE",
        new="return effect is not Effect.CONNECT",
        killed_by=f"{_TABLE}test_each_way_in_takes_what_the_table_says",
    ),
    Mutation(
        "an update counts as nothing but a connect",
        "connorg/core/policy/ways_in.py",
        old="    if request.if_exists is IfExists.UPDATE:\n        effects.add(Effect.CHANGE)\n",
        new="    if request.if_exists is IfExists.UPDATE:\n",
        killed_by=f"{_TABLE}test_a_request_is_refused_where_its_way_in_may_not_have_its_effect",
    ),
    Mutation(
        "the policy passes updates by",
        "connorg/core/policy/rules.py",
        old="if refused & ON_STANDING:",
        new="if refused >= ON_STANDING:",
        killed_by=f"{_TABLE}test_a_request_is_refused_where_its_way_in_may_not_have_its_effect",
    ),
    Mutation(
        "a submit asks for no role but the route's",
        "connorg/functions/endpoints/onboardings.py",
        old="    authorize_effects(effects_of(request))\n",
        new="",
        killed_by=f"{_ROLES}test_who_may_only_submit_updates_nothing",
    ),
    Mutation(
        "a batch asks for no role but the route's",
        "connorg/functions/endpoints/batches.py",
        old="    authorize_effects({effect for request in requests"
        " for effect in effects_of(request)})\n",
        new="",
        killed_by=f"{_ROLES}test_who_may_only_submit_updates_nothing",
    ),
    Mutation(
        "only the first row of a batch is asked a role for",
        "connorg/functions/endpoints/batches.py",
        old="[row.request for row in file.rows if row.request is not None]",
        new="[row.request for row in file.rows[:1] if row.request is not None]",
        killed_by=f"{_ROLES}test_who_may_only_submit_updates_nothing",
    ),
    Mutation(
        "where http may only propose an organization is changed all the same",
        "connorg/functions/http/problem_boundary.py",
        old="                require_way_in(effect)\n",
        new="                pass\n",
        killed_by=f"{_ROLES}test_where_http_may_only_propose_nothing_that_stands_is_changed",
    ),
    Mutation(
        "a refused message takes the identity source over first",
        "connorg/core/onboarding/producers.py",
        old="        # Before it could take the identity source over from an onboarding that"
        " connected it.\n"
        "        refusal = services.policy.early_refusal(request, channels.QUEUE)\n",
        new="        refusal = services.policy.callback_refusal(request.callback_url)\n",
        killed_by="tests/unit/core/test_producers.py"
        "::test_an_update_that_the_queue_may_not_ask_for_leaves_the_holder_alone",
    ),
    Mutation(
        "who may not update goes on with the sponsors of an update",
        "connorg/core/domain/claims.py",
        old="if holder.sponsors_to_add and asks_the_same and may_add:",
        new="if holder.sponsors_to_add and asks_the_same:",
        killed_by="tests/unit/core/test_lifecycle.py"
        "::test_who_may_not_update_does_not_go_on_with_the_sponsors_of_an_update",
    ),
    Mutation(
        "a route without a role stays open while a setting is wrong",
        "connorg/functions/http/problem_boundary.py",
        old="            if needs_settings:\n                settings()\n",
        new="",
        killed_by=f"{_CLOSED}test_every_route_but_health_is_closed",
    ),
    Mutation(
        "health is closed with the rest while a setting is wrong",
        "connorg/functions/http/route.py",
        old='return self.path != "health"',
        new="return True",
        killed_by=f"{_CLOSED}test_every_route_but_health_is_closed",
    ),
    Mutation(
        "a wrong entry is not told apart from its list",
        "connorg/settings.py",
        old='f"entry {step + 1}" if isinstance(step, int) else step for step in steps',
        new="step for step in steps if not isinstance(step, int)",
        killed_by=f"{_CLOSED}test_every_route_but_health_is_closed",
    ),
    Mutation(
        "while a setting is wrong messages go to poison",
        "connorg/functions/queues/envelope.py",
        old="    except ConfigurationError as error:\n",
        new="    except LookupError as error:\n",
        killed_by="tests/contract/test_triggers.py::test_while_a_setting_is_wrong_messages_wait",
    ),
    Mutation(
        "anybody's principal header counts",
        "connorg/functions/http/callers.py",
        old="if header is None or not settings().signs_in_before:",
        new="if header is None:",
        killed_by=f"{_ROLES}test_where_app_service_signs_nobody_in_its_header_is_anybody_s",
    ),
    Mutation(
        "whatever App Service is set to means that it is on",
        "connorg/settings.py",
        old='return self.website_auth_enabled.lower() == "true"',
        new="return bool(self.website_auth_enabled)",
        killed_by=f"{_ROLES}test_where_app_service_signs_nobody_in_its_header_is_anybody_s",
    ),
    Mutation(
        "a caller of another identity provider is taken for Entra's",
        "connorg/functions/http/callers.py",
        old='auth_typ: Literal["aad"]',
        new="auth_typ: object = None",
        killed_by=f"{_ROLES}test_a_principal_of_another_provider_is_nobody",
    ),
    Mutation(
        "a token of another tenant's issuer lets in",
        "connorg/entra_tokens.py",
        old="                issuer=[*self._trust.issuers],\n",
        new="",
        killed_by=f"{_TOKENS}test_a_token_that_says_something_else_lets_nobody_in",
    ),
    Mutation(
        "a token for another audience lets in",
        "connorg/entra_tokens.py",
        old='options={"require": _NEEDED},',
        new='options={"require": _NEEDED, "verify_aud": False},',
        killed_by=f"{_TOKENS}test_a_token_that_says_something_else_lets_nobody_in",
    ),
    Mutation(
        "a token that never expires lets in",
        "connorg/entra_tokens.py",
        old='_NEEDED = ["exp", ',
        new="_NEEDED = [",
        killed_by=f"{_TOKENS}test_a_token_that_says_something_else_lets_nobody_in",
    ),
    Mutation(
        "a token that is signed in another way lets in",
        "connorg/entra_tokens.py",
        old='if header.get("alg") != "RS256" or not isinstance(key_id, str):',
        new="if not isinstance(key_id, str):",
        killed_by=f"{_TOKENS}test_a_token_signed_otherwise_is_refused_before_any_key_is_asked_for",
    ),
    Mutation(
        "a new key of the tenant is never learnt",
        "connorg/entra_tokens.py",
        old="if key_id not in self._keys or now - self._fetched > _FRESH:",
        new="if now - self._fetched > _FRESH:",
        killed_by=f"{_TOKENS}test_new_keys_are_fetched_when_a_token_is_signed_with_one",
    ),
    Mutation(
        "whoever invents ids of keys has Entra flooded",
        "connorg/entra_tokens.py",
        old="len(self._fetches) == _MOST_FETCHES and ",
        new="len(self._fetches) > _MOST_FETCHES and ",
        killed_by=f"{_TOKENS}test_whoever_invents_keys_does_not_have_them_fetched_each_time",
    ),
    Mutation(
        "where no keys can be had a caller is turned away for good",
        "connorg/functions/http/callers.py",
        old="    except TokenRefusedError as error:\n",
        new="    except (TokenRefusedError, KeysUnavailableError) as error:\n",
        killed_by=f"{_TOKENS}test_without_keys_callers_are_told_to_come_again",
    ),
    Mutation(
        "anybody says at which host an address is",
        "connorg/functions/http/addresses.py",
        old="host = forwarded_host if is_known else",
        new="host = forwarded_host if is_host else",
        killed_by=f"{_KIT}test_a_forwarded_host_that_is_not_listed_is_ignored",
    ),
    Mutation(
        "anybody has an address sent in the clear",
        "connorg/functions/http/addresses.py",
        old='schemes = {"http", "https"} if is_known else {"https"}',
        new='schemes = {"http", "https"}',
        killed_by=f"{_KIT}test_a_forwarded_host_that_is_not_listed_is_ignored",
    ),
    Mutation(
        "a caller passes for a channel",
        "connorg/functions/http/callers.py",
        old='return object_id if GUID.fullmatch(object_id) else ""',
        new="return object_id",
        killed_by=f"{_ROLES}test_nobody_passes_for_a_channel",
    ),
    Mutation(
        "a key's holder names itself",
        "connorg/functions/http/callers.py",
        old="    _caller.set(None)\n    if not settings().require_entra:\n        return\n",
        new="    _caller.set(None)\n",
        killed_by=f"{_ROLES}test_nobody_passes_for_a_channel",
    ),
    Mutation(
        "the result address tells who asked for what",
        "connorg/functions/http/answers.py",
        old="return json_answer(onboarding.progress(), 202, pointers)",
        new="return json_answer(onboarding.view(), 202, pointers)",
        killed_by=f"{_RESULT}test_it_tells_no_particulars_and_is_kept_by_nobody",
    ),
    Mutation(
        "a failed result names another onboarding",
        "connorg/functions/http/answers.py",
        old='        f"{told.title}.",\n',
        new="        told.detail,\n",
        killed_by=f"{_RESULT}test_it_tells_no_particulars_and_is_kept_by_nobody",
    ),
    Mutation(
        "what a result says is kept by proxies",
        "connorg/functions/http/answers.py",
        old="pointers = {**addresses.pointers(onboarding), **_NOT_KEPT}",
        new="pointers = {**addresses.pointers(onboarding)}",
        killed_by=f"{_RESULT}test_at_the_end_it_is_the_organization",
    ),
    Mutation(
        "the key of a result address opens nothing",
        "connorg/functions/http/result_tokens.py",
        old="hmac.compare_digest(given, onboarding.result_key.encode())",
        new="hmac.compare_digest(given, onboarding.id.encode())",
        killed_by=f"{_TOKEN}test_every_new_onboarding_has_a_random_key_of_128_bits",
    ),
    Mutation(
        "where no secret is set a result address opens without its key",
        "connorg/functions/http/result_tokens.py",
        old="    if onboarding is not None and onboarding.result_key is not None:\n        given",
        new="    if onboarding is not None and onboarding.result_key and token:\n        given",
        killed_by=f"{_TOKEN}test_without_its_key_an_address_tells_nothing",
    ),
    Mutation(
        "who joins sees who else asked",
        "connorg/core/domain/claims.py",
        old='        "reference": request.reference,\n',
        new="",
        killed_by=f"{_CLAIMS}test_who_joins_sees_their_own_request_and_nobody_elses",
    ),
    Mutation(
        "who joins sees the sponsors of another in the warnings",
        "connorg/core/domain/claims.py",
        old="for sponsor in others)",
        new="for sponsor in own)",
        killed_by=f"{_CLAIMS}test_who_joins_sees_their_own_request_and_nobody_elses",
    ),
    Mutation(
        "signed bytes begin a second onboarding under another id",
        "connorg/core/onboarding/idempotency.py",
        old="        if self.signed is None:\n",
        new="        if given or self.signed is None:\n",
        killed_by="tests/unit/core/test_idempotency.py"
        "::test_signed_bytes_begin_nothing_again_under_another_id",
    ),
    Mutation(
        "a corrected mapping can't be tried with the same event",
        "connorg/core/onboarding/idempotency.py",
        old='f"signed\\0{_fingerprint(self.request)}\\0".encode() + self.signed',
        new='b"signed" + self.signed',
        killed_by="tests/unit/core/test_idempotency.py"
        "::test_signed_bytes_begin_nothing_again_under_another_id",
    ),
    Mutation(
        "jira's events can be replayed under another id",
        "connorg/functions/endpoints/webhook_deliveries.py",
        old="is_replayable and not sender.may_repeat else None",
        new="is_replayable and sender.may_repeat else None",
        killed_by="tests/end_to_end/test_webhooks.py"
        "::test_signed_bytes_begin_nothing_again_under_another_delivery_id",
    ),
    Mutation(
        "a cell is a formula where a spreadsheet ends cells by semicolons",
        "connorg/functions/http/csv_answers.py",
        old="(?:\\A|(?<=[;|\\t\\r\\n]))",
        new="\\A",
        killed_by="tests/unit/functions/test_csv_answers.py"
        "::test_nothing_that_a_spreadsheet_may_take_for_a_cell_is_a_formula",
    ),
    Mutation(
        "a webhook's secret may be a single character",
        "connorg/webhooks/senders.py",
        old="if len(key) < _SHORTEST_KEY:",
        new="if not key:",
        killed_by=f"{_SENDERS}test_a_secret_that_can_be_guessed_is_none",
    ),
    Mutation(
        "nobody is told that one sender may pass for another",
        "connorg/webhooks/senders.py",
        old="known[name] & known[other])",
        new="known[name] == known[other])",
        killed_by=f"{_SENDERS}test_senders_that_share_a_secret_are_told",
    ),
    Mutation(
        "callbacks are signed with a single byte",
        "connorg/settings.py",
        old="if any(len(key) < _SHORTEST_CALLBACK_KEY for key in keys):",
        new="if not all(keys):",
        killed_by="tests/unit/test_settings.py::test_a_secret_that_can_be_none_is_refused",
    ),
    Mutation(
        "an issuer is a script",
        "connorg/contract/identity_sources.py",
        old="scheme.lower() not in _ISSUER_SCHEMES",
        new="not scheme",
        killed_by=f"{_REQUESTS}test_an_issuer_is_named_as_issuers_are",
    ),
    Mutation(
        "a sponsor holds what can't be seen",
        "connorg/contract/sponsors.py",
        old="if is_asked(info) and not sponsor.isprintable():",
        new="if is_asked(info) and not sponsor:",
        killed_by=f"{_REQUESTS}test_nothing_that_can_t_be_seen_has_a_place_in_a_sponsor",
    ),
    Mutation(
        "a name turns itself around",
        "connorg/contract/identity_sources.py",
        old="(_BIDI_MARKS_AND_BREAKS if is_asked(info) else frozenset())",
        new="frozenset()",
        killed_by=f"{_REQUESTS}test_control_characters_have_no_place_in_a_name",
    ),
    Mutation(
        "what an earlier version kept can't be read",
        "connorg/contract/model.py",
        old="return info.context is ASKED",
        new="return True",
        killed_by=f"{_REQUESTS}test_what_an_earlier_version_kept_is_still_read",
    ),
    Mutation(
        "a long name of nothing is a name",
        "connorg/contract/blanks.py",
        old="    if not any(map(_shows, text)):",
        new="    if not text.strip():",
        killed_by=f"{_REQUESTS}test_a_name_of_which_nothing_can_be_seen_is_none",
    ),
    Mutation(
        "a row is never cut, so that an onboarding may never end",
        "connorg/storage/tables.py",
        old="error.status_code == _TOO_LARGE_BODY or",
        new="error.status_code == _TOO_LARGE_BODY and",
        killed_by=f"{_SIZES}test_what_could_not_grow_any_more_is_buried",
    ),
    Mutation(
        "an onboarding's history outlives what it says of itself",
        "connorg/storage/entities.py",
        old='    yield onboarding.model_copy(update={"history": ()})\n',
        new="",
        killed_by=f"{_SIZES}test_history_is_the_first_to_go",
    ),
    Mutation(
        "an onboarding's JSON has one column",
        "connorg/storage/entities.py",
        old="_LARGEST_COLUMN = 16_000",
        new="_LARGEST_COLUMN = 400_000",
        killed_by=f"{_SIZES}test_the_largest_requests_are_kept_whole_to_their_end",
    ),
    Mutation(
        "a batch's row has all warnings, however many",
        "connorg/contract/batches.py",
        old='"warnings": _as_many_as_fit(onboarding.warnings),',
        new='"warnings": onboarding.warnings,',
        killed_by=f"{_SIZES}test_the_largest_requests_are_kept_whole_to_their_end",
    ),
    Mutation(
        "a request of a file may be larger than a message",
        "connorg/contract/asking.py",
        old="if size > LARGEST_REQUEST:",
        new="if size < 0:",
        killed_by=f"{_SIZES}test_the_largest_requests_are_kept_whole_to_their_end",
    ),
    Mutation(
        "a caller's trace is carried on, however long",
        "connorg/functions/http/headers.py",
        old="if _TRACEPARENT.fullmatch(header) else None",
        new="if _TRACEPARENT.match(header) else None",
        killed_by=f"{_KIT}test_what_is_no_trace_is_carried_nowhere",
    ),
    Mutation(
        "an event is walked through however much it holds",
        "connorg/webhooks/mapping.py",
        old="        if count > _MOST_VALUES:",
        new="        if count < 0:",
        killed_by=f"{_MAPPING}test_an_event_that_would_take_long_is_refused_before_it_is_read",
    ),
    Mutation(
        "an event may be nested as deeply as it likes",
        "connorg/webhooks/mapping.py",
        old="_DEEPEST = 64 ",
        new="_DEEPEST = 9_999 ",
        killed_by=f"{_MAPPING}test_an_event_that_would_take_long_is_refused_before_it_is_read",
    ),
    Mutation(
        "the doctor tries a forged caller on the first route alone",
        "infra/doctor/outside.py",
        old="in await self._routes_with_a_role():",
        new="in (await self._routes_with_a_role())[:1]:",
        killed_by="tests/unit/infra/test_doctor.py"
        "::test_every_route_with_a_role_is_tried_by_a_forged_caller",
    ),
    Mutation(
        "an update that was asked for by a submit leaves no line of the audit",
        "connorg/core/onboarding/attempt.py",
        old="        audit_changes(before, current)\n",
        new="",
        killed_by=f"{_STANDING}test_an_update_leaves_a_line_for_each_of_its_effects",
    ),
    Mutation(
        "an update that Graph refused leaves the line of one that was made",
        "connorg/core/onboarding/standing.py",
        old="if after.conclusion is not Conclusion.UPDATED:",
        new="if after.conclusion is None:",
        killed_by=f"{_STANDING}test_what_changes_nothing_that_stood_leaves_none",
    ),
    Mutation(
        "producers leave no line of the audit",
        "connorg/core/onboarding/producers.py",
        old="        _audit(onboarding, request)\n",
        new="",
        killed_by=f"{_STANDING}test_a_producers_message_leaves_the_line_of_a_request",
    ),
    Mutation(
        "a page may hold what its first digits hide",
        "connorg/functions/http/parameters.py",
        old="if not _NUMBER.fullmatch(text) or int(text) > _LARGEST_PAGE:",
        new="if not text.isdigit() or not 1 <= int(text[:9]) <= _LARGEST_PAGE:",
        killed_by=f"{_KIT}test_a_page_that_is_no_number_in_its_bounds_is_refused",
    ),
)
