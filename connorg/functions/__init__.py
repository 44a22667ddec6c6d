"""The edge: what the Functions host calls.

endpoints   HTTP functions
queues      queue functions
timers      timer functions
openapi     the description of the HTTP API
http        what HTTP functions share
unattended  what all others share: no caller waits for them

The folder console holds the page for operators, which runs in their browser.
"""
