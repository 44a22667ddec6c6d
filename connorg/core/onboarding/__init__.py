"""The journey of one request.

submit       accept a request, and try at once
resume       continue what the queue brings back
confirm      whether an organization of a while ago still exists
attempt      from the lease to the conclusion
steps        one step of an attempt at Graph
standing     changes of what stood before, for the audit
lookups      what Graph is asked before anything changes
replay       replay and cancel
several      replay and cancel several at once
producers    messages that others put on the queue
reject       keep what can't be done as a failed onboarding
dry_run      what a request would come to
records      making an onboarding and its message
idempotency  the Idempotency-Key
"""
