"""Bundles: a lane packed into one file, and replayed from it.

- making.py: collects the lane's charts, values and records; replaying.py: deploys them again;
- archives.py: the format of the file, read within limits; offline.py: renders without the lane's cluster.

A replay installs as an apply does (lanes/deployment): only the origin of charts and values differs.
"""
