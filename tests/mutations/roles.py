"""Breaks of what each way in may do, and of who is taken for whom."""

from tests.mutations.mutation import Mutation

_TABLE = "tests/unit/core/test_ways_in.py::"
_CLOSED = "tests/unit/functions/test_misconfigured.py::"
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
        old="    authorize_effects(req, effects_of(request))\n",
        new="",
        killed_by=f"{_ROLES}test_who_may_only_submit_updates_nothing",
    ),
    Mutation(
        "a batch asks for no role but the route's",
        "connorg/functions/endpoints/batches.py",
        old="    authorize_effects(req, {effect for request in requests"
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
)
