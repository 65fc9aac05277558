"""Changing where a stable name leads, and knowing what it leads to.

- notes.py: what a route's history says of a change, and who made it;
- places.py: what a route needs of where it lives; cluster.py, directory.py: the two places;
- finding.py: which releases are routes, and of which service and lane;
- ready.py: whether a target is there, and ready for its share;
- changes.py, routed.py: set, show, list, history and undo;
- shift.py, gates.py: step by step, and who lets each step through;
- leads.py: what leads to a lane or a release, for who wants to retire it.
"""
