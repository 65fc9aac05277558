"""Two lanes, releases or files compared, or a lane with the cluster, so that only real differences show.

- sides.py: what is compared: found by how it is written, and rendered where it is a file;
- comparing.py: the lane taken out of every name, and the comparison itself.
"""

from sidelane.lanes.diff.comparing import Changed, Comparison, Side, compare, neutral
from sidelane.lanes.diff.sides import diff

__all__ = ["Changed", "Comparison", "Side", "compare", "diff", "neutral"]
