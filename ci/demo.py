"""The main job, from beginning to end, with the commands that a person would type.

    python ci/demo.py              two lanes of ZooKeeper in a directory of manifests; needs no cluster
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
    """Runs a command as it is shown, and holds it to its exit code."""
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
    if not on_cluster:
        shutil.rmtree(ROOT, ignore_errors=True)

    say("The charts that travel with Sidelane")
    sidelane("charts")
    say("A lane of ZooKeeper: rendered by Helm, held against the naming contract, installed")
    sidelane("check", "zookeeper", "--lane", "coco-1")
    sidelane("install", "zookeeper", "--lane", "coco-1", *target, *create)
    say("A second one beside it; the first is not touched")
    sidelane("install", "zookeeper", "--lane", "2-coco-1", *target, *create, "-o", "json")
    say("The same again changes nothing")
    again = sidelane("install", "zookeeper", "--lane", "coco-1", *target, "-o", "json")
    say("Something else in a lane that is deployed is refused")
    refused = sidelane("install", "zookeeper", "--lane", "coco-1", *target, "--set", "replicas=5", ends_with=1)
    say("What is there")
    listed = sidelane("list", *target)
    shown = sidelane("status", "zookeeper-2-coco-1", *target)

    expected = {
        "the second install says unchanged": '"change": "unchanged"' in again,
        "the refusal names the field and the next free Build": "spec.replicas: 3 → 5" in refused
        and "coco-2" in refused,
        "both lanes are listed": "zookeeper-coco-1" in listed and "zookeeper-2-coco-1" in listed,
        "the objects carry their lane": "zk-2-coco-1-0" in shown if on_cluster else "zk-cs-2-coco-1" in shown,
    }
    for what, holds in expected.items():
        if not holds:
            raise SystemExit(f"the demo ends here: it is not so that {what}")
    where = (
        ""
        if on_cluster
        else f" What was written is in ./{ROOT}; try `kubectl kustomize {ROOT}/streams/zookeeper-coco-1`."
    )
    say(f"Done in {time.monotonic() - begun:.1f} s.{where}")


if __name__ == "__main__":
    main()
