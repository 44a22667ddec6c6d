"""Azure Tables and Queues.

ledger        onboardings
ledger_purge  deleting old ones
batches       batches
gate          the gate
entities      the rows of the ledger's table
tables        how any table is asked
transactions  several rows of a partition at once
scan          many rows of a table, side by side
queues        queues
connection    clients and their errors
"""
