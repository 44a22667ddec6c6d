"""What the storage account holds, and the setting that names it. Read first, so imports nothing."""

STORAGE_CONNECTION = "AzureWebJobsStorage"
LEDGER_TABLE = "ledger"
BATCHES_TABLE = "batches"
ONBOARDING_QUEUE = "onboarding"
POISON_QUEUE = f"{ONBOARDING_QUEUE}-poison"
CALLBACK_QUEUE = "callback"
CALLBACK_POISON_QUEUE = f"{CALLBACK_QUEUE}-poison"
BATCH_QUEUE = "batch"
BATCH_POISON_QUEUE = f"{BATCH_QUEUE}-poison"

TABLES = (LEDGER_TABLE, BATCHES_TABLE)
QUEUES = (
    ONBOARDING_QUEUE,
    POISON_QUEUE,
    CALLBACK_QUEUE,
    CALLBACK_POISON_QUEUE,
    BATCH_QUEUE,
    BATCH_POISON_QUEUE,
)
