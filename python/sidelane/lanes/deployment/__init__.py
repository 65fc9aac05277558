"""The deployment file: all releases of one lane, planned and applied together.

- file.py: reads the file into a valid value;
- order.py: the order of releases by their needs;
- parts.py: the file's releases and routes, with their charts and values;
- planning.py: the plan of changes, without making them;
- applying.py: makes the planned changes.

The installation of each release belongs in releases/, and the change of a route in routes/.
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
