"""The fault campaign: real processes, killed and cut off from each other, while partners come in.

plan.py       what is sent and what breaks, drawn from one seed
traffic.py    callers and producers, who send again where they doubt
outages.py    the stack, and what befalls its processes
evidence.py   what can be seen of it from outside, while it goes on and at the end
invariants.py what must hold whatever happened
report.py     the figures
throttle.py   the measurement of the throttle gate, a program of its own
"""
