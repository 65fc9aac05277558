"""Removing a lane, or one release of it, without hurting anyone.

What a route leads to, what another release needs, what is young and what somebody works on is held, and each is told
with what holds it. Taking a target out of its route is the user's; then what is still open is given time, and the
releases go one level after another: what needs others first, so that inner services go before what they stand on.

Only releases of Sidelane's go (releases/stores/ours.py), and no object outside the namespace, unless the caller names
them.

- looking.py: what would go, and what is in the way;
- proposing.py: which lanes are old enough;
- doing.py: removing it.
"""

from sidelane.lanes.retire.doing import DRAIN, retire, uninstall
from sidelane.lanes.retire.looking import Allowed, Retirement, look, look_at
from sidelane.lanes.retire.proposing import outdated, propose

__all__ = ["DRAIN", "Allowed", "Retirement", "look", "look_at", "outdated", "propose", "retire", "uninstall"]
