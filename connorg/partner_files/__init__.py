"""Files of partners: CSV, JSON and NDJSON.

reader       from a file to requests and faults
text         its text
spreadsheet  CSV
columns      headers
json_rows    JSON and NDJSON
raw_rows     a row before it is validated
"""
