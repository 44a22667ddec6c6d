"""The timer functions.

observe  each minute: how much waits
purge    each night: forget what ended long ago
"""
