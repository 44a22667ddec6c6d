"""A host as its start leaves it: what it runs, and what of the app is in error."""

import logging
from collections.abc import Callable, Iterable, Mapping

from infra.local.functions_host.admin_pages import AdminPages
from infra.local.functions_host.definition import (
    QUEUE,
    TIMER,
    Declaration,
    Function,
    FunctionInErrorError,
    HostInErrorError,
    define,
    is_disabled,
    without_doubles,
)
from infra.local.functions_host.host_json import HostOptions, HttpOptions
from infra.local.functions_host.http_front import HttpFront
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.keys import Keys
from infra.local.functions_host.queues import Pumps
from infra.local.functions_host.routing import Router
from infra.local.functions_host.timer import Timer

log = logging.getLogger("host")


class Host:
    """The functions of an app that run, with what serves them.

    A fault of one function leaves that one out. `fail` is told what ends the whole host.
    Raises HostInErrorError when nothing can run, CannotStartError for what is not emulated.
    """

    def __init__(
        self,
        declarations: Iterable[Declaration],
        options: HostOptions,
        keys: Keys,
        environment: Mapping[str, str],
        fail: Callable[[str], None],
    ) -> None:
        self.invoker = Invoker(options.function_timeout)
        self.pumps = Pumps(options.queues, self.invoker, environment, fail)
        self.timers: list[Timer] = []
        self.functions: list[Function] = []
        self._environment = environment
        for declaration in without_doubles(declarations):
            if options.functions is None or declaration.name in options.functions:
                self._add(declaration)
        router = Router(self.functions, options.http.route_prefix)
        for name, fault in router.faults.items():
            _tell_fault(name, fault)
        self.front = HttpFront(
            router,
            self.invoker,
            keys,
            AdminPages(keys, self.functions, self.timers, ()),
            options.http,
            environment,
            frozenset(one.name for one in self.functions if is_disabled(one.name, environment)),
        )

    def _add(self, declaration: Declaration) -> None:
        try:
            function = define(declaration)
            if is_disabled(function.name, self._environment):
                log.info("Function '%s' is disabled", function.name)
            elif function.kind == QUEUE:
                self.pumps.add(function)
            elif function.kind == TIMER:
                self.timers.append(Timer.of(function, self.invoker, self._environment))
            self.functions.append(function)
        except FunctionInErrorError as fault:
            _tell_fault(declaration.name, str(fault))


def front_in_error(
    fault: HostInErrorError, keys: Keys, environment: Mapping[str, str]
) -> HttpFront:
    """What answers for a host that is in error."""
    pages = AdminPages(keys, (), (), (str(fault),))
    return HttpFront(None, Invoker(None), keys, pages, HttpOptions(), environment)


def _tell_fault(name: str, fault: str) -> None:
    log.error("The '%s' function is in error: %s.", name, fault)
