"""Images have a digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.images_pinned import images
from sidelane.checks.rules.rule import Context, Problem, Rule, shown


def _check(context: Context) -> Iterator[Problem]:
    for obj, path, image in images(context):
        if "@" not in image:
            yield Problem(obj, path, f"{shown(image)} has no digest")


RULE: Final[Rule] = Rule(
    id="images-by-digest",
    title="Images have a digest",
    explanation=(
        "A registry can give another image for the same tag; only a digest names its content. The rule runs only "
        "where the conventions give it a severity, because most charts leave the digest to their users."
    ),
    remedy="add the digest: image:tag@sha256:…",
    wrong=(edited(RELEASE, ("@sha256:" + "0123456789abcdef" * 4, "")),),
    right=(RELEASE,),
    check=_check,
    origin="Kubernetes, Images: image digests",
    scope="asked",
    severity="warning",
)
