"""The main job, from beginning to end, with the commands that a person would type.

    python ci/demo.py              two lanes of a pipeline in a directory of manifests; needs no cluster
    python ci/demo.py --cluster    the same on the cluster that KUBECONFIG names

Ends with 1 when anything is not as it should be.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

SIDELANE = Path(sysconfig.get_path("scripts")) / "sidelane"
ROOT = Path("demo")


def say(text: str) -> None:
    print(f"\n\033[1m# {text}\033[0m" if sys.stdout.isatty() else f"\n# {text}", flush=True)


def sidelane(*arguments: str, ends_with: int = 0) -> str:
    """Run a command as it is shown, and require its exit code."""
    print(f"$ sidelane {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [SIDELANE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode != ends_with:
        raise SystemExit(f"the demo ends here: expected exit code {ends_with}, got {done.returncode}")
    return done.stdout


def main() -> None:
    begun = time.monotonic()
    on_cluster = sys.argv[1:] == ["--cluster"]
    namespace = ["--namespace", "streams"]
    target = namespace if on_cluster else [*namespace, "--directory", str(ROOT)]
    create = ["--create-namespace", "--wait"] if on_cluster else []
    small = ["-f", "charts/pipeline/values-small.yaml"]  # two lanes of it fit a machine of 2 CPUs
    if not on_cluster:
        shutil.rmtree(ROOT, ignore_errors=True)

    image = ["--set", "image.repository=acme/svc1", "--set", "image.tag=1.4.0"]

    say("The charts that travel with Sidelane")
    sidelane("charts")
    say("The outer deployment of a lane: rendered by Helm, checked against the naming contract, installed")
    sidelane("check", "pipeline", "--lane", "coco-1", *small)
    sidelane("install", "pipeline", "--lane", "coco-1", *target, *small, *create)
    say("A second lane beside it; the first does not change")
    sidelane("install", "pipeline", "--lane", "2-coco-1", *target, *small, *create, "-o", "json")
    say("The inner deployment: two versions of a service in that lane")
    for version in ("v1", "v2"):
        service = ["service", "--name", "svc1", "--service-version", version]
        sidelane("install", *service, "--lane", "2-coco-1", *target, *image, *(["--wait"] if on_cluster else []))
    say("The same again changes nothing")
    again = sidelane("install", "pipeline", "--lane", "coco-1", *target, *small, "-o", "json")
    say("Other content in a deployed lane is refused")
    change = [*small, "--set", "zookeeper.replicas=3"]
    refused = sidelane("install", "pipeline", "--lane", "coco-1", *target, *change, ends_with=1)
    say("Stateless workloads can be scaled")
    scale = ["--reuse-values", "--set", "supervisor.replicas=2"]
    scaled = sidelane("upgrade", "pipeline", "--lane", "coco-1", *target, *scale, "-o", "json")
    say("Callers use one name; one write changes its destination, and another goes back")
    route = ["--lane", "2-coco-1", *target]
    sidelane("route", "set", "svc1", "--to", "v1", *route)
    sidelane("route", "set", "svc1", "--to", "v2", *route)
    undone = sidelane("route", "undo", "svc1", *route)
    say("Nothing has changed since it was deployed")
    verified = sidelane("verify", "--lane", "2-coco-1", *target)
    say("The differences between two lanes, without the lane in the names")
    sidelane("diff", "coco-1", "2-coco-1", *target, ends_with=1)
    say("The releases, and where traffic goes")
    sidelane("graph", *target)
    listed = sidelane("list", *target)
    shown = sidelane("status", "svc1-v2-2-coco-1", *target)

    expected = {
        "the second install says unchanged": '"change": "unchanged"' in again,
        "the refusal names the field and the next free Build": "spec.replicas: 1 → 3" in refused
        and "coco-2" in refused,
        "scaling says upgraded": '"change": "upgraded"' in scaled,
        "the route leads to v1 again": "v1" in undone,
        "all four releases of the lane are unchanged": verified.count("unchanged") == 4,
        "both lanes are listed": "pipeline-coco-1" in listed and "pipeline-2-coco-1" in listed,
        "the objects carry their lane": "svc1-v2-2-coco-1-" in shown if on_cluster else "svc1-v2-2-coco-1" in shown,
    }
    for what, holds in expected.items():
        if not holds:
            raise SystemExit(f"the demo ends here: it is not so that {what}")
    where = (
        ""
        if on_cluster
        else f" What was written is in ./{ROOT}; try `kubectl kustomize {ROOT}/streams/pipeline-2-coco-1`."
    )
    say(f"Done in {time.monotonic() - begun:.1f} s.{where}")


if __name__ == "__main__":
    main()
