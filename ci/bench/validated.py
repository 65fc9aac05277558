"""Validates a manifest by Kubernetes' schemas in one process, again and again: what that costs once they are loaded.

python ci/bench/validated.py MANIFEST VERSIONS TIMES     the rule kubernetes-schemas on MANIFEST, first once and then
                                                         TIMES more; VERSIONS as in --kubernetes-versions
"""

from __future__ import annotations

import sys
from pathlib import Path

from sidelane.checks.conventions import preset
from sidelane.checks.engine import check
from sidelane.checks.rules import kubernetes_schemas
from sidelane.manifest import Manifest


def main(manifest: str, versions: str, times: str) -> None:
    objects = Manifest.read(Path(manifest).read_bytes())
    conventions = preset("sidelane").with_schemas(versions, ())
    for _ in range(1 + int(times)):
        report = check(objects, conventions=conventions, rules=[kubernetes_schemas.RULE])
        if report.rules != ("kubernetes-schemas",) or report.findings:
            raise SystemExit(f"{manifest} was not validated, or is not valid: {report.findings[:1]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
