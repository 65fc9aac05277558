"""Remove a lane, or one release of it, when nothing needs it.

A release is held, with the reason, if it is the target of a route, needed by another release, too young, or in use by
another process. The user removes a target from its route; then open connections get time to drain, and the releases
are removed level by level, dependent ones first.

Only Sidelane's releases are removed (releases/stores/ours.py), and no object outside the namespace, unless the caller
names them.

- looking.py: plans the removal, with the reasons against it;
- proposing.py: proposes lanes that are old enough;
- connections.py: counts open connections;
- draining.py: waits for them;
- doing.py: removes the releases.
"""

from sidelane.lanes.retire.connections import parsed
from sidelane.lanes.retire.doing import retire, uninstall
from sidelane.lanes.retire.draining import DRAIN, Drain, Drained
from sidelane.lanes.retire.looking import Allowed, Retirement, look, look_at
from sidelane.lanes.retire.proposing import outdated, propose

__all__ = [
    "DRAIN",
    "Allowed",
    "Drain",
    "Drained",
    "Retirement",
    "look",
    "look_at",
    "outdated",
    "parsed",
    "propose",
    "retire",
    "uninstall",
]
