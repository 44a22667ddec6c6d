"""Sending the SDK's requests and reading the answers.

Answers are taken as they came and read by our models: reading them as the SDK's models imports some
1,200 modules, which makes the first create of a process four times slower and each later one seven
times; and the SDK drops an error's body where it holds one date that it can't read.
"""

from typing import TYPE_CHECKING

from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from pydantic import ValidationError

from connorg.contract.model import Model
from connorg.core.domain.outcomes import AlreadyConnected, Later, Refused, Setback
from connorg.core.ports import Clock
from connorg.graph.meanings import Call
from connorg.graph.setbacks import setback_of, setback_of_answer, unreadable
from connorg.telemetry import hooks as telemetry

if TYPE_CHECKING:
    import httpx

_AS_IT_CAME = ResponseHandlerOption(NativeResponseHandler())


class Sender:
    def __init__(self, adapter: RequestAdapter, clock: Clock) -> None:
        self._adapter = adapter
        self.clock = clock

    async def create[M: Model](
        self, ask: RequestInformation, model: type[M]
    ) -> M | AlreadyConnected | Setback:
        answer = await self._send(Call.CREATE, ask)
        return _read(answer, model) if isinstance(answer, bytes) else answer

    async def read[M: Model](
        self, call: Call, ask: RequestInformation, model: type[M]
    ) -> M | Setback:
        answer = await self._send(call, ask)
        return _read(answer, model) if isinstance(answer, bytes) else _as_refusal(answer)

    async def change(self, call: Call, ask: RequestInformation) -> bytes | Setback:
        """Send what is answered by 200, 202 or 204. Return the body, which may be empty."""
        answer = await self._send(call, ask)
        return answer if isinstance(answer, bytes) else _as_refusal(answer)

    async def _send(
        self, call: Call, ask: RequestInformation
    ) -> bytes | AlreadyConnected | Setback:
        method = ask.http_method.value if ask.http_method else ""
        with telemetry.graph_call(method, self._adapter.base_url, ask.url_template):
            _expand_once(ask, self._adapter.base_url)
            ask.add_request_options([_AS_IT_CAME])
            try:
                answer: httpx.Response | None = await self._adapter.send_primitive_async(
                    ask, "bytes", {}
                )
            except Exception as error:  # noqa: BLE001  what it does not know, it raises again
                return setback_of(error)
            if answer is None:
                return unreadable()
            if answer.is_success:
                return answer.content
            headers = {name.lower(): value for name, value in answer.headers.items()}
            now = self.clock.now()
            return setback_of_answer(call, answer.status_code, headers, answer.content, now)


def _expand_once(ask: RequestInformation, base_url: str) -> None:
    """Return the address as it is: the SDK asks for it three times, each time by its template."""
    ask.path_parameters["baseurl"] = base_url
    ask.url = ask.url


def _read[M: Model](answer: bytes, model: type[M]) -> M | Later:
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        return unreadable()


def read_if_whole[M: Model](answer: bytes, model: type[M]) -> M | None:
    """Read a body that may be missing; None: it is, or can't be read."""
    read = _read(answer, model)
    return None if isinstance(read, Later) else read


def _as_refusal(answer: AlreadyConnected | Setback) -> Setback:
    """Only a create can meet a duplicate; elsewhere it is a refusal as any other."""
    return Refused(answer.error) if isinstance(answer, AlreadyConnected) else answer
