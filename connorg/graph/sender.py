"""Sending the SDK's requests and reading the answers.

Answers are taken as bytes and read by our models: reading them as the SDK's models imports some
1,200 modules, which makes the first create of a process four times slower and each later one seven
times.
"""

from kiota_abstractions.request_adapter import RequestAdapter
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from pydantic import ValidationError

from connorg.contract.model import Model
from connorg.core.domain.outcomes import AlreadyConnected, Refused, Setback
from connorg.core.ports import Clock
from connorg.graph.setbacks import setback_of, unreadable
from connorg.telemetry import hooks as telemetry


class Sender:
    def __init__(self, adapter: RequestAdapter, clock: Clock) -> None:
        self._adapter = adapter
        self._clock = clock

    async def create[M: Model](
        self, ask: RequestInformation, model: type[M]
    ) -> M | AlreadyConnected | Setback:
        answer = await self._send(ask)
        return _read(answer, model) if isinstance(answer, bytes) else answer

    async def read[M: Model](self, ask: RequestInformation, model: type[M]) -> M | Setback:
        answer = await self._send(ask)
        return _read(answer, model) if isinstance(answer, bytes) else _as_refusal(answer)

    async def change(self, ask: RequestInformation) -> Setback | None:
        """Send what is answered by 200, 202 or 204, with or without a body. None: it is done."""
        answer = await self._send(ask)
        return None if isinstance(answer, bytes) else _as_refusal(answer)

    async def _send(self, ask: RequestInformation) -> bytes | AlreadyConnected | Setback:
        method = ask.http_method.value if ask.http_method else ""
        with telemetry.graph_call(method, self._adapter.base_url, ask.url_template):
            _expand_once(ask, self._adapter.base_url)
            try:
                answer: bytes | None = await self._adapter.send_primitive_async(
                    ask, "bytes", {"XXX": ODataError}
                )
            except Exception as error:  # noqa: BLE001  what it does not know, it raises again
                return setback_of(error, self._clock.now())
            return answer or b""


def _expand_once(ask: RequestInformation, base_url: str) -> None:
    """Give the address as it is: the SDK asks for it three times, each time by its template."""
    ask.path_parameters["baseurl"] = base_url
    ask.url = ask.url


def _read[M: Model](answer: bytes, model: type[M]) -> M | Setback:
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        return unreadable()


def _as_refusal(answer: AlreadyConnected | Setback) -> Setback:
    """Only a create can meet a duplicate; elsewhere it is a refusal as any other."""
    return Refused(answer.error) if isinstance(answer, AlreadyConnected) else answer
