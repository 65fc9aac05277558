"""The readiness of releases: how much of their objects is ready, and for each pod that is not, the reason.

- value.py: the result, as one line, as text and as JSON;
- objects.py: the rules by which Helm 3 and Helm 4 take an object for ready;
- pods.py: the state of one pod that is not ready;
- assess.py: a release's objects, held against the cluster's;
- cleaning.py: text of the cluster, made safe to show.

This package reads no cluster: see sidelane.releases.waiting.
"""

from sidelane.releases.readiness.assess import Live, Subject, assess
from sidelane.releases.readiness.cleaning import Cleaner, secrets_of
from sidelane.releases.readiness.value import Container, Event, Readiness, Unready

__all__ = ["Cleaner", "Container", "Event", "Live", "Readiness", "Subject", "Unready", "assess", "secrets_of"]
