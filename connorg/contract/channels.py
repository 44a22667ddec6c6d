"""The channels that requests come in by, as an onboarding's `source` shows them."""

HTTP = "http"
QUEUE = "queue"
BATCH = "batch"


def webhook(sender: str) -> str:
    """Return the channel of a declared sender of webhooks."""
    return f"webhook:{sender}"
