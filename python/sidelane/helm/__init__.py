"""The only access to Helm: the program, its process, its input and its output.

- client.py: one method for each command of Helm, with its result parsed; running.py: runs a command with the settings
  of a connection; environment.py, process.py, leash.py: its process; executable.py: finds the program;
- values.py, flags.py, durations.py: its input; failures.py, rights.py: its messages as Sidelane's errors;
- lookup.py: reads objects with Helm's credentials, by a chart that is rendered and never installed (_reader/);
- queries.py: what is read, many objects of a kind by one list; gathering.py: the queries of several callers at once;
- repositories.py: credentials of chart repositories.

A rule about releases, lanes or routes does not belong here, and no other package starts Helm.
"""
