"""Rules without I/O: pure functions and values.

lifecycle  the legal moves of an onboarding
history    its steps, as they are noted
outcomes   what an attempt came to
errors     errors that come about in several places
claims     two requests for one identity source
timing     every duration
"""
