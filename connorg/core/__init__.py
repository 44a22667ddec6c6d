"""The product, without any SDK: no clock, no environment and no HTTP of its own.

services       what every step works with
ports          what the core needs from outside
onboarding     the journey of one request
batches        files of requests
throttle       when Graph may be called
domain         rules without I/O
policy         what may be connected and called back
troubles       what an operator should look at
summary        how many onboardings there are of what
organizations  what can be done with an organization that exists
reports        organizations that something is to be done about
callbacks      calls to the address that a request names, when it has ended
retention      forgetting what ended long ago
forget         forgetting a partner
redelivery     messages that must come again
"""
