"""Waiting for releases on a cluster, and saying what for.

- reading.py: what the cluster has of releases, read through Helm, at most once each two seconds;
- watch.py: the readings of all that is waited for at a time, one call of Helm for all;
- during.py: what is done while a Helm waits: progress, an early end, and an error that names what is not ready;
- logs.py: the last lines of containers' logs, from the API server.
"""
