"""When Graph may be called.

throttle  the one way to Graph for everybody in the process
gate      the row that all instances share
pacer     turns for the process
"""
