"""Charts: found, described, given their values, and rendered.

- sources.py: finds a chart by name, path or reference; chart.py, files.py: the chart, and its files;
- values.py, strvals.py, flags.py: the values of `-f` and `--set`, validated against the chart's schema;
- held.py: the conventions that a chart is installed by; pairs.py: two renderings side by side;
- written_lane.py: a lane in the text of values; ranges.py: Helm's ranges of versions;
- rendering.py: the only place that renders manifests.

The charts themselves are in charts/, outside this package. Fetching one from a repository belongs in helm/, and the
meaning of rendered objects in manifest/ and checks/.
"""
