"""The rules of the naming contract: one per file, in the order of the report.

To add one, write its file beside the others (a ``RULE`` with wrong and right examples) and list it here.
"""

from __future__ import annotations

from typing import Final

from sidelane.checks.rules import (
    host_names,
    lane_labels,
    lane_selectors,
    lane_suffix,
    list_keys,
    name_limits,
    own_references,
    port_names,
    reference_keys,
    references_exist,
    text_fields,
    unique_identity,
    volumes_exist,
)
from sidelane.checks.rules.rule import Context, Problem, Rule

__all__ = ["RULES", "Context", "Problem", "Rule"]

RULES: Final[tuple[Rule, ...]] = (
    lane_suffix.RULE,
    lane_labels.RULE,
    name_limits.RULE,
    lane_selectors.RULE,
    references_exist.RULE,
    own_references.RULE,
    reference_keys.RULE,
    volumes_exist.RULE,
    port_names.RULE,
    host_names.RULE,
    unique_identity.RULE,
    list_keys.RULE,
    text_fields.RULE,
)
