"""The keys of every label and annotation that Sidelane reads or writes."""

from __future__ import annotations

from typing import Final

# --- What charts say of their objects (charts/common/templates/_labels.tpl)

LANE: Final = "sidelane.dev/lane"
VERSION: Final = "sidelane.dev/version"
BUILD: Final = "sidelane.dev/build"
#: Kubernetes' recommended labels: the chart, the component, the release.
NAME: Final = "app.kubernetes.io/name"
COMPONENT: Final = "app.kubernetes.io/component"
INSTANCE: Final = "app.kubernetes.io/instance"
PART_OF: Final = "app.kubernetes.io/part-of"
#: The chart and its version, as Helm recommends it.
CHART: Final = "helm.sh/chart"

# --- What charts say of themselves (annotations in Chart.yaml)

#: Values that may change on a deployed release, separated by commas; a chart without it has none.
OPERATIONAL_VALUES: Final = "sidelane.dev/operational-values"
#: How a chart's releases are named before their lane, from its values: ``{name}-{serviceVersion}``. A chart without it
#: has one release a lane, of the chart's own name.
RELEASE_NAME: Final = "sidelane.dev/release-name"

# --- What Sidelane says of releases (labels of Helm's Secrets)

#: A digest of what a release was made from.
INPUTS: Final = "sidelane.dev/inputs"
#: How many levels of releases a release stands on.
LEVEL: Final = "sidelane.dev/level"
#: Followed by the name of a release that is needed.
NEEDS: Final = "needs.sidelane.dev/"
#: Who works on a release, and the second (Unix time) after which that worker has ended its own Helm.
HOLDER: Final = "sidelane.dev/holder"
DEADLINE: Final = "sidelane.dev/deadline"
#: A release of a chart of Sidelane's own, which is there for a moment.
HELPER: Final = "sidelane.dev/helper"

# --- What Sidelane says of objects

#: A part of a release's record.
RECORD: Final = "sidelane.dev/record"
