"""When Graph may be called.

throttle     the one way to Graph for everybody in the process
gate         the row that all instances share
shared_gate  one reading of it for all callers at once
pacer        turns for the process
"""
