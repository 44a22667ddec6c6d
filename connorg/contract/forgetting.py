"""What is erased where a partner is forgotten."""

from connorg.contract.model import Model


class Erased(Model):
    count: int
    ids: tuple[str, ...]

    @classmethod
    def of(cls, *ids: str) -> "Erased":
        return cls(count=len(ids), ids=ids)


class Forgotten(Model):
    dry_run: bool
    """Whether it is only said what would be erased."""
    partners: tuple[str, ...]
    """The domains and tenant ids by which the partner was known."""
    onboardings: Erased
    callbacks: Erased
    idempotency_keys: Erased
    """By their hashes."""
    batch_rows: Erased
    """Each as `<batch>/<row>`. What was counted of a row stays."""
