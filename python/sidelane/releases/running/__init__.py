"""The objects that run for releases, and others that affect them: pods, ReplicaSets, and objects of no release.

- reading.py: the objects of releases and of their lanes, in one call of Helm that lists each kind once;
- pods.py: pods and revisions of workloads, compared with the workloads' templates;
- strangers.py: objects that no release has, and that have a lane's labels or affect it.

A namespace's objects are read with the rights of the caller. Nothing is written.
"""
