"""The keys of every label and annotation that Sidelane reads or writes."""

from __future__ import annotations

from typing import Final

# --- Labels of the charts' objects (charts/common/templates/_labels.tpl)

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
#: Of a namespace: what charts/guard does with a forbidden request: deny, warn or audit.
GUARD: Final = "sidelane.dev/guard"

# --- Annotations that Helm sets

#: The release of an object.
RELEASE_OF: Final = "meta.helm.sh/release-name"

# --- Annotations in Chart.yaml

#: Values that may change on a deployed release, separated by commas; a chart without the annotation has none.
OPERATIONAL_VALUES: Final = "sidelane.dev/operational-values"
#: The pattern of a release's name before the lane, from the values: ``{name}-{serviceVersion}``. A chart without the
#: annotation has one release per lane, named as the chart.
RELEASE_NAME: Final = "sidelane.dev/release-name"

# --- Labels that Sidelane sets on releases (on Helm's Secrets)

#: A digest of a release's inputs.
INPUTS: Final = "sidelane.dev/inputs"
#: The number of levels of releases below a release.
LEVEL: Final = "sidelane.dev/level"
#: Followed by the name of a release that this one needs.
NEEDS: Final = "needs.sidelane.dev/"
#: The holder of a release's lease, and the time (Unix seconds) after which the holder has ended its own Helm.
HOLDER: Final = "sidelane.dev/holder"
DEADLINE: Final = "sidelane.dev/deadline"
#: A short-lived release of one of Sidelane's own helper charts.
HELPER: Final = "sidelane.dev/helper"

# --- Labels that Sidelane sets on objects

#: A part of a release's record.
RECORD: Final = "sidelane.dev/record"
