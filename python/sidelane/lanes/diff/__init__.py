"""Compare two lanes, releases or files, or a lane with the cluster, without the differences of names.

- sides.py: finds the two sides, and renders files;
- comparing.py: removes the lane from every name, and compares.

The comparison of two manifests field by field, without lanes, belongs in manifest/.
"""

from sidelane.lanes.diff.comparing import Changed, Comparison, Side, compare, neutral
from sidelane.lanes.diff.sides import diff

__all__ = ["Changed", "Comparison", "Side", "compare", "diff", "neutral"]
