"""The deployment file: all releases of one lane, planned and brought to a target as one.

- file.py: the file, read once into a value that can't be wrong;
- order.py: which release needs which;
- parts.py: its releases and routes, with their charts and values;
- planning.py: what would happen, without changing anything;
- applying.py: what is planned, done.
"""

from sidelane.lanes.deployment.applying import Applied, apply
from sidelane.lanes.deployment.file import Deployment, Wanted, read
from sidelane.lanes.deployment.parts import Part, charts_of, parts, routes
from sidelane.lanes.deployment.planning import Plan, Step, plan

__all__ = [
    "Applied",
    "Deployment",
    "Part",
    "Plan",
    "Step",
    "Wanted",
    "apply",
    "charts_of",
    "parts",
    "plan",
    "read",
    "routes",
]
