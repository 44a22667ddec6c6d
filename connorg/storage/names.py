"""What the storage account holds, and the setting that names it. Read first, so imports nothing."""

STORAGE_CONNECTION = "AzureWebJobsStorage"
LEDGER_TABLE = "ledger"
ONBOARDING_QUEUE = "onboarding"
POISON_QUEUE = f"{ONBOARDING_QUEUE}-poison"
CALLBACK_QUEUE = "callback"
CALLBACK_POISON_QUEUE = f"{CALLBACK_QUEUE}-poison"
