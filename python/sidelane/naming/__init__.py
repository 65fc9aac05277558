"""The naming contract: the domain, parsed once into values that are always valid.

- lane.py: a lane; contract.py: names of components, services and releases; chart_ref.py: a chart's name and version;
- labels.py: the key of every label and annotation; route.py: the identity of a route, from its labels;
- subject.py: the lane or release that a call acts on.

The objects of a manifest are judged by it in checks/rules/. Nothing here reads a file, a chart or a cluster.
"""
