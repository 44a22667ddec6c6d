"""Files of partners: CSV, JSON and NDJSON.

reader       from a file to requests and faults
text         its text, or what it is in place of text
contents     what kind of file it is
spreadsheet  CSV
columns      headers
cells        a partner of named cells
json_rows    JSON and NDJSON
objects      a partner as a JSON object
raw_rows     a row before it is validated
"""
