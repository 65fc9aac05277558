"""The readiness of releases: the number of ready objects, and the reason for each pod that is not ready.

- value.py: the result, as one line, as text and as JSON;
- objects.py: the rules of Helm 3 and Helm 4 for a ready object;
- pods.py: the state of one pod that is not ready;
- assess.py: compares a release's objects with the cluster's;
- cleaning.py: makes text of the cluster safe to show.

This package reads no cluster: see sidelane.releases.waiting.
"""

from sidelane.releases.readiness.assess import Live, Subject, assess
from sidelane.releases.readiness.cleaning import Cleaner, secrets_of
from sidelane.releases.readiness.value import Container, Event, Readiness, Unready

__all__ = ["Cleaner", "Container", "Event", "Live", "Readiness", "Subject", "Unready", "assess", "secrets_of"]
