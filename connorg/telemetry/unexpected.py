"""What is reported of an unexpected exception: its types and its stack, not its text.

The text may quote a secret, an address or a partner's name, which the log would then contain.
"""


class UnexpectedError(Exception):
    """Stands for another exception where one is logged or given to the host."""

    def __init__(self, error: BaseException) -> None:
        self.types = _types(error)
        """Of the exception and of its causes, the last one first."""
        super().__init__(", because of ".join(self.types))
        self.__traceback__ = error.__traceback__


def name_of(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _types(error: BaseException | None) -> tuple[str, ...]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        hidden = error.__cause__ is None and error.__suppress_context__
        error = None if hidden else error.__cause__ or error.__context__
    return tuple(name_of(type(one)) for one in found)
