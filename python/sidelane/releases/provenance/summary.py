"""The result of a verification for programs: a SLSA Verification Summary (https://slsa.dev/verification_summary/v1).

An in-toto Statement about a release that says what was verified, when, by which version of Sidelane, and against which
record. It is not signed: sign it as any file, with the key of the pipeline that verifies.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sidelane.manifest import digest
from sidelane.releases.provenance import STATEMENT_TYPE, config_map
from sidelane.version import VERSION

if TYPE_CHECKING:
    from sidelane.releases.verification import Verification

PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
_VERIFIER: Final = "https://sidelane.dev/verify/v1"
#: Custom levels must not begin with SLSA_.
_PASSED, _FAILED = "SIDELANE_UNCHANGED", "FAILED"


def summary(verification: Verification, *, at: datetime | None = None) -> str:
    """Returns the summary of a verification, JSON on one line. at: the time, by default now."""
    passed = verification.state == "unchanged"
    name = f"{verification.namespace}/{verification.release}"
    record = verification.record
    inputs = (
        [{"uri": f"k8s:///api/v1/namespaces/{verification.namespace}/configmaps/{config_map(verification.release)}",
          "digest": _sha256(digest(record.text))}]
        if record
        else []
    )  # fmt: skip
    return json.dumps({
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": _sha256(verification.digest)}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": _VERIFIER, "version": {"sidelane": VERSION}},
            "timeVerified": (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": f"helm:///{name}",
            "policy": {"uri": _VERIFIER},
            "inputAttestations": inputs,
            "verificationResult": "PASSED" if passed else "FAILED",
            "verifiedLevels": [_PASSED if passed else _FAILED],
            "slsaVersion": "1.0",
            f"{_VERIFIER}/state": verification.state,
        },
    })  # fmt: skip


def _sha256(text: str) -> dict[str, str]:
    return {"sha256": text.removeprefix("sha256:")}
