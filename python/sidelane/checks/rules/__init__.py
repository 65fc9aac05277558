"""The rules of the naming contract: one per file, in the order of the report.

To add one, write its file beside the others (a ``RULE`` with wrong and right examples) and list it here.
"""

from __future__ import annotations

from typing import Final

from sidelane.checks.rules import (
    budgets_allow_drains,
    deprecated_apis,
    duplicate_keys,
    exceptions_hit,
    host_names,
    images_by_digest,
    images_pinned,
    immutable_configuration,
    kubernetes_schemas,
    label_pattern,
    lane_labels,
    lane_selectors,
    lane_suffix,
    list_keys,
    name_limits,
    name_pattern,
    no_fixed_namespace,
    nothing_random,
    own_references,
    port_names,
    probes,
    reference_keys,
    references_exist,
    removed_apis,
    resources_set,
    restricted_pods,
    selector_labels,
    spreading,
    text_fields,
    unique_identity,
    versions_reach_pods,
    volumes_exist,
)
from sidelane.checks.rules.rule import Context, Problem, Rule

__all__ = ["RULES", "Context", "Problem", "Rule"]

RULES: Final[tuple[Rule, ...]] = (
    lane_suffix.RULE,
    lane_labels.RULE,
    name_limits.RULE,
    lane_selectors.RULE,
    name_pattern.RULE,
    label_pattern.RULE,
    selector_labels.RULE,
    references_exist.RULE,
    own_references.RULE,
    reference_keys.RULE,
    volumes_exist.RULE,
    port_names.RULE,
    host_names.RULE,
    unique_identity.RULE,
    list_keys.RULE,
    duplicate_keys.RULE,
    text_fields.RULE,
    kubernetes_schemas.RULE,
    versions_reach_pods.RULE,
    images_pinned.RULE,
    images_by_digest.RULE,
    immutable_configuration.RULE,
    no_fixed_namespace.RULE,
    nothing_random.RULE,
    removed_apis.RULE,
    deprecated_apis.RULE,
    budgets_allow_drains.RULE,
    spreading.RULE,
    probes.RULE,
    resources_set.RULE,
    restricted_pods.RULE,
    exceptions_hit.RULE,
)
