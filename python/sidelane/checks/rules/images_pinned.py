"""Images have a fixed version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers
from sidelane.manifest import Object
from sidelane.manifest.fields import walk

#: Tags that their publishers move by intent.
_MOVING: Final = frozenset({"latest", "edge", "nightly", "dev", "main", "master", "stable"})


def images(context: Context) -> Iterator[tuple[Object, str, str]]:
    """Yield the image of every container and image volume, with its path."""
    for obj in context.manifest.objects:
        if template := obj.pod_template:
            fields = [pair for path, each in containers(template) for pair in walk(each, "image", path)]
            fields += walk(template.spec, "volumes[].image.reference", template.within("spec"))
            yield from ((obj, path, image) for path, image in fields if isinstance(image, str) and image)


def _check(context: Context) -> Iterator[Problem]:
    for obj, path, image in images(context):
        name, _, digest = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and not tag:
            yield Problem(obj, path, f"{shown(image)} has no tag, so it is the tag latest")
        elif not digest and tag in _MOVING:
            yield Problem(obj, path, f"the tag of {shown(image)} moves")


_IMAGE: Final = "acme/svc1:1.4.0@sha256:" + "0123456789abcdef" * 4

RULE: Final[Rule] = Rule(
    id="images-pinned",
    title="Images have a fixed version",
    explanation=(
        "A tag such as latest, or no tag, gives another program after a restart than at the install, and two pods of "
        "one workload can differ. An immutable lane then changes without a new Build."
    ),
    remedy="give the image a version as its tag or, better, a digest",
    wrong=(
        edited(RELEASE, (_IMAGE, "acme/svc1")),
        edited(RELEASE, (_IMAGE, "registry.example:5000/acme/svc1:latest")),
    ),
    right=(edited(RELEASE, (_IMAGE, "registry.example:5000/acme/svc1:1.4.0")), RELEASE),
    check=_check,
    origin="Kubernetes, Images: image names; Configuration Best Practices",
    scope="practice",
)
