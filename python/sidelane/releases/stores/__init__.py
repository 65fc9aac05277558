"""The storage of releases: the same verbs for a cluster and for a directory.

- target.py: the verbs, and the values that they take;
- release.py, stored.py: a release as reported, and as stored with its content;
- cluster.py: the verbs on a cluster, through Helm; the longer ones in creating.py, finishing.py, putting_back.py,
  undo.py and claims.py;
- answers.py: Helm's answers; labelled.py: releases by Sidelane's labels; live.py: objects as they are now;
- leases.py, holding.py: the process that holds a release;
- directory.py: the verbs on a directory; folders.py, files.py: its folders, and the content of its files.

A verb stores, reads or removes what it is given. Whether it should, and the checks of content, belong in the package
above; routes have stores of their own (routes/).
"""

from sidelane.releases.stores.release import ObjectStatus, Release
from sidelane.releases.stores.stored import Stored
from sidelane.releases.stores.target import (
    Create,
    MakeRecord,
    Options,
    PutBack,
    Target,
    no_release,
    not_there,
)

__all__ = [
    "Create",
    "MakeRecord",
    "ObjectStatus",
    "Options",
    "PutBack",
    "Release",
    "Stored",
    "Target",
    "no_release",
    "not_there",
]
