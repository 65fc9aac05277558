"""Waiting for releases on a cluster, with progress and with errors that name each pod that is not ready.

- reading.py: the objects of releases, read through Helm, at most once each two seconds;
- watch.py: one series of readings for all releases in a wait;
- during.py: the work beside a Helm that waits: progress, an early end, the error;
- logs.py: the last lines of containers' logs, from the API server.

The rules for a ready object belong in releases/readiness/, which reads nothing.
"""
