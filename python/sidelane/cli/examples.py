"""The examples of every command in --help. Run in this order, they are the life of a lane.

lane.yaml is a deployment file of lane coco-1, key.pem and key.pub.pem are a pair of keys.
"""

from __future__ import annotations

from typing import Final

import click

#: command → its examples.
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "charts": ("sidelane charts", "sidelane charts zookeeper"),
    "render": ("sidelane render zookeeper --lane 2-coco-1 --set replicas=5",),
    "check": (
        "sidelane check pipeline --lane 2-coco-1",
        "sidelane render zookeeper --lane 2-coco-1 | sidelane check -",
        "sidelane check zookeeper nimbus supervisor --lane 2-coco-1",
        "sidelane check zookeeper --side-by-side --vary replicas=3,5",
        "sidelane check --print-conventions --preset helm",
    ),
    "post-render": ("sidelane render zookeeper --lane 2-coco-1 | sidelane post-render --lane 2-coco-1",),
    "helm-plugin": ("sidelane helm-plugin post-renderer",),
    "explain": ("sidelane explain port-names", "sidelane explain -o json"),
    "install": (
        "sidelane install zookeeper --lane 2-coco-1 --set replicas=1 --wait",
        (
            "sidelane install service --name svc1 --service-version v1 --lane 2-coco-1 \\\n"
            "    --set image.repository=acme/svc1 --set image.tag=1.4.0"
        ),
        (
            "sidelane install service --name svc1 --service-version v2 --lane 2-coco-1 --wait \\\n"
            "    --set image.repository=acme/svc1 --set image.tag=1.5.0"
        ),
    ),
    "upgrade": (
        (
            "sidelane upgrade service --name svc1 --service-version v1 --lane 2-coco-1 \\\n"
            "    --reuse-values --set replicas=3 --wait"
        ),
    ),
    "plan": ("sidelane plan lane.yaml",),
    "apply": ("sidelane apply lane.yaml --atomic",),
    "list": ("sidelane list --lane 2-coco-1", "sidelane list --all-namespaces -o json"),
    "status": ("sidelane status --lane 2-coco-1", "sidelane status zookeeper-2-coco-1"),
    "wait": ("sidelane wait --lane 2-coco-1 --timeout 10m",),
    "route set": ("sidelane route set svc1 --lane 2-coco-1 --to v1",),
    "route show": ("sidelane route show svc1 --lane 2-coco-1",),
    "route list": ("sidelane route list --lane 2-coco-1",),
    "route shift": (
        (
            "sidelane route shift svc1 --lane 2-coco-1 --to v2 --steps 100 --every 10s --between 5s \\\n"
            "    --check 'command[limit=30s,failures=2] sidelane wait svc1-v2-2-coco-1'"
        ),
    ),
    "route history": ("sidelane route history svc1 --lane 2-coco-1",),
    "route undo": ("sidelane route undo svc1 --lane 2-coco-1",),
    "shift": (
        (
            "sidelane install service --name svc1 --service-version v1 --lane 2-coco-2 --wait \\\n"
            "    --set image.repository=acme/svc1 --set image.tag=1.4.0\n"
            "sidelane shift --from 2-coco-1 --to 2-coco-2 --steps 100 --every 5s --between 2s \\\n"
            "    --gate 'command[limit=30s] sidelane wait {service}-v1-2-coco-2'"
        ),
        "sidelane shift --back",
    ),
    "shift status": ("sidelane shift status",),
    "shift promote": (
        (
            "sidelane shift --from 2-coco-1 --to 2-coco-2 --steps 100 --every 1s --between 1s --gate manual &\n"
            "until sidelane shift promote --by alice; do sleep 1; done; wait\n"
            "sidelane shift --back"
        ),
    ),
    "graph": ("sidelane graph", "sidelane graph --lane 2-coco-1 -o html --output-file lane.html"),
    "record": (
        "sidelane record zookeeper-2-coco-1 -o yaml",
        "sidelane record --lane 2-coco-1",
        "sidelane record zookeeper-2-coco-1 --sign-key key.pem > zookeeper-2-coco-1.dsse.json",
    ),
    "verify": (
        "sidelane verify --lane 2-coco-1",
        "sidelane verify --lane 2-coco-1 --vsa",
        "sidelane verify zookeeper-2-coco-1 --signature zookeeper-2-coco-1.dsse.json --key key.pub.pem",
    ),
    "guard role": (
        "sidelane guard role verify zookeeper --lane 2-coco-1",
        "sidelane guard role apply lane.yaml",
        "sidelane guard role route-set --set mode=istio",
    ),
    "guard manifests": ("sidelane guard manifests --lane guard-1 > guard.yaml",),
    "guard status": ("sidelane guard status --all-namespaces",),
    "repair": ("sidelane repair --lane 2-coco-1 --dry-run", "sidelane repair zookeeper-2-coco-1 --yes --wait"),
    "diff": ("sidelane diff zookeeper-2-coco-1", "sidelane diff coco-1 lane.yaml"),
    "bundle": ("sidelane bundle coco-1.tar.gz --lane coco-1",),
    "replay": ("sidelane replay coco-1.tar.gz --directory releases",),
    "retire": (
        "sidelane retire --keep 3 --of coco",
        "sidelane retire --lane coco-1 --dry-run",
        "sidelane retire --lane coco-1 --drain 5s --connections 'envoy http://127.0.0.1:9901'",
    ),
    "uninstall": ("sidelane uninstall svc1-v2-2-coco-1 --wait",),
    "completion": ("source <(sidelane completion bash)",),
}


def shown(command: click.Command, name: str) -> click.Command:
    """Returns the command with its examples at the end of --help; also for the commands of a group."""
    if isinstance(command, click.Group):
        for part, inner in command.commands.items():
            shown(inner, f"{name} {part}")
    if examples := EXAMPLES.get(name):
        title = "Example:" if len(examples) == 1 else "Examples:"
        # \b stops click from rewrapping the lines.
        command.epilog = "\n".join(["\b", title, *(f"  {line}" for each in examples for line in each.split("\n"))])
    return command
