"""Everything that goes over the wire, as Pydantic models. Imports nothing else of connorg.

requests          the request for an organization
fields            its fields, a row each
headers           the headers of a spreadsheet, as people write them
identity_sources  the domain or tenant that it represents
domains           domain names
sponsors          who is responsible for it
organization      the organization as Graph returns it
as_told           values as Graph returns them
changes           what can be changed of it
onboarding        the record of a request's journey
history           its last steps
batches           a file of requests
batch_views       what is shown of a batch
forecast          what a dry run answers
selection         several onboardings at once
forgetting        what is erased of a partner
summary           how many there are of what
health            what health answers
messages          queue messages
callbacks         what is kept of a callback
problems          error answers
faults            what is wrong with a body, each with its place
asking            a request as somebody asks for it
blanks            what says that there is no value
parsing           reading a body as a model
texts             the text of what somebody sent
identifiers       ids, and the partitions that they carry
idempotency_key   the Idempotency-Key
channels          how a request came in
effects           what a call may change
clouds            Microsoft's clouds
storage_names     names of tables and queues
versions          the version of rows and messages
release           the version of connorg
model             the base of all models
"""
