"""Releases: install, upgrade, wait for, record, verify and repair them, on a cluster or in a directory.

- context.py: Helm, the target, charts and progress of one call;
- installing.py: install and upgrade; comparing.py, refusals.py, owned.py: differences, and reasons against a change;
- verify.py, repair.py: compare a release with its record and the cluster, and restore it;
- provenance/: the record; stores/: the target; readiness/, waiting/: the objects that are not ready, and the wait.

One release is the subject here. Several of a lane at once belong in lanes/, and traffic in routes/.
"""
