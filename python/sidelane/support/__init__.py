"""Helpers without knowledge of lanes, charts or Helm, which every package may use.

- concurrency.py, locks.py, files.py: tasks, locks, and bounded reads; carried.py: the data files beside the code;
- secrets.py, redaction.py: known secrets, and text without them; harmless.py: text that is safe on a terminal;
- advice.py: completes the commands in an error's remedy; json_writer.py: JSON;
- schemas.py: validates data by a JSON schema, with every error at once.

A helper with a single user belongs beside it.
"""
