"""A sliding window over all calls, as in the "Microsoft Graph throttling guidance"."""

import math
import time
from collections import deque

from infra.local.graph.config import Throttle
from infra.local.graph.errors import throttled


class Window:
    """Graph counts refused calls too; here they are not, so that a test can say how many calls
    go through."""

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def admit(self, throttle: Throttle | None) -> None:
        """Raise GraphError 429 with the seconds until there is room."""
        if throttle is None:
            return
        now = time.monotonic()
        while self._admitted and self._admitted[0] <= now - throttle.seconds:
            self._admitted.popleft()
        if len(self._admitted) >= throttle.requests:
            room = self._admitted[len(self._admitted) - throttle.requests] + throttle.seconds
            raise throttled(str(max(1, math.ceil(room - now))))
        self._admitted.append(now)
