"""What the app reports of its work.

hooks           what the core calls: spans and counts
audit           a line for every change
names           the names under which they are found
oldest_waiting  how long the oldest waits
target          where it is sent
unexpected      what is reported of an exception
export          the exporters
"""
