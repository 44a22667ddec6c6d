"""The description of the API as a file, and what a change of it means to callers.

__main__  writes the file, or compares two of them
changes   tells what breaks callers from what is added
"""
