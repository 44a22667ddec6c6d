"""Files of requests, row by row.

accept    accept a file and put its rows on the queue; replay, cancel
rows      continue rows that the queue brings
progress  how far a batch has come
forecast  the dry run
"""
