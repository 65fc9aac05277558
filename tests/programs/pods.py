"""The pods of rendered manifests on a node of namespaces: kubelet's part and the DNS', as far as our charts ask.

What a chart asks for and is not known here is an error, never left out.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sandboxes import Container, Mount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sandboxes import Node, Running

    Object = dict[str, Any]

NAMESPACE = "streams"
DOMAIN = "cluster.local"
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# What is known here of a pod and of a container, and after it what is for the scheduler, the API server and others.
IN_POD = {
    *("containers", "volumes", "securityContext", "terminationGracePeriodSeconds"),
    *("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "topologySpreadConstraints"),
    *("affinity", "nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets", "restartPolicy"),
    "activeDeadlineSeconds",
}
IN_CONTAINER = {
    *("name", "image", "command", "env", "ports", "volumeMounts", "securityContext", *PROBES),
    *("imagePullPolicy", "resources", "terminationMessagePolicy"),
}


@dataclass(frozen=True)
class Image:
    """The parts of an image: its environment, and the places of its files."""

    environment: Mapping[str, str]
    mounts: Sequence[Mount]


class Cluster:
    """Pods, and the names by which they find one another.

    Args:
        images: by the last part of their repository, such as ``zookeeper``.

    Attributes:
        secrets: the files of Secrets that no chart makes, by name; put in by a test.
    """

    def __init__(self, node: Node, images: Mapping[str, Image]) -> None:
        self.node = node
        self.images = images
        self.pods: dict[str, Pod] = {}
        self.services: list[Object] = []
        self.configmaps: dict[str, Object] = {}
        self.secrets: dict[str, Mapping[str, str]] = {}

    def apply(self, objects: Iterable[Object]) -> dict[str, Pod]:
        """Takes the objects of a release, and gives the pods that they make, none of them started, by their names."""
        pods = []
        for item in sorted(objects, key=lambda item: item["kind"]):
            match item["kind"]:
                case "ConfigMap":
                    self.configmaps[name_of(item)] = item
                case "Service":
                    self.services.append(item)
                case "Pod":
                    pods.append(Pod(self, name_of(item), item))
                case "Deployment" | "StatefulSet":
                    pods += [Pod(self, f"{name_of(item)}-{n}", item) for n in range(item["spec"]["replicas"])]
        made = {pod.name: pod for pod in pods}
        self.pods |= made
        self.publish()
        return made

    def publish(self) -> None:
        """Tells the names as they are now: a Service has its ready pods, and a headless one all, each by name."""
        names: dict[str, list[str]] = {pod.address: [] for pod in self.pods.values()}
        for service in self.services:
            # The short ones are what a pod's search list makes of them.
            plain = name_of(service)
            forms = [f"{plain}.{NAMESPACE}.svc.{DOMAIN}", f"{plain}.{NAMESPACE}.svc", f"{plain}.{NAMESPACE}", plain]
            for pod in self.pods.values():
                always = service["spec"].get("publishNotReadyAddresses", False)
                if (pod.ready or always) and service["spec"]["selector"].items() <= pod.labels.items():
                    # The first of a pod's names is the one by which its address is looked up.
                    own = [f"{pod.name}.{form}" for form in forms] if pod.domain == plain else []
                    names[pod.address] = [*own, *names[pod.address], *forms]
        self.node.tell({address: addresses for address, addresses in names.items() if addresses})


class Pod:
    """One pod, of one container.

    Attributes:
        running: its container, when it was started.
        ready: whether it was found ready since then.
        volumes: their folders on this machine, by name.
    """

    def __init__(self, cluster: Cluster, name: str, owner: Object) -> None:
        template = owner if owner["kind"] == "Pod" else owner["spec"]["template"]
        self.cluster = cluster
        self.name = name
        self.labels = template["metadata"]["labels"]
        self.spec = template["spec"]
        self.domain = owner["spec"].get("serviceName")
        self.claims = [name_of(claim) for claim in owner["spec"].get("volumeClaimTemplates", [])]
        (self.container,) = self.spec["containers"]
        if unknown := (set(self.spec) - IN_POD) | (set(self.container) - IN_CONTAINER):
            raise NotImplementedError(f"the pod {name} has {unknown}, whose meaning is not known here")
        self.sandbox = cluster.node.sandbox(name)
        self.address = self.sandbox.address
        self.running: Running | None = None
        self.volumes: dict[str, Path] = {}
        self.ready = False

    def start(self, command: Sequence[str] | None = None) -> Running:
        """Starts the pod as if it were made anew: claims keep what they hold, other volumes are empty.

        Args:
            command: run in place of the container's own.
        """
        described = {volume["name"]: volume for volume in self.spec["volumes"]}
        self.volumes = {name: self._volume(name, described) for name in (*described, *self.claims)}
        return self.restart(command)

    def restart(self, command: Sequence[str] | None = None) -> Running:
        """Starts the container of a pod that stays again, as kubelet does: its volumes keep what they hold."""
        security = {**self.spec["securityContext"], **self.container["securityContext"]}
        assert security["readOnlyRootFilesystem"], "a node's containers have no other root filesystem"
        image = self.cluster.images[re.fullmatch(r".*/([^/:@]+)[:@].*", self.container["image"])[1]]
        environment = {**image.environment, **self._environment()}
        self.running = self.sandbox.run(
            Container(
                command=command or [expand(word, environment) for word in self.container["command"]],
                environment=environment,
                mounts=[*image.mounts, *self._mounts()],
                user=security["runAsUser"],
                group=security["runAsGroup"],
            )
        )
        return self.running

    def probe(self, name: str) -> bool:
        """Return True if one of its probes, such as ``readinessProbe``, succeeds now."""
        probe = self.container[name]
        match probe:
            case {"exec": {"command": command}}:
                done = self.running.execute(*command, seconds=probe["timeoutSeconds"])
            case {"httpGet": {"path": path, "port": port}}:
                ask = f"exec 3<>/dev/tcp/{self.address}/{self.port(port)}; printf 'GET {path} HTTP/1.0\r\n\r\n' >&3"
                taken = "; read -r _ status _ <&3; [[ $status == [23]?? ]]"
                done = self.cluster.node.run("bash", "-c", ask + taken, seconds=probe["timeoutSeconds"])
            case {"tcpSocket": {"port": port}}:
                connect = f"exec 3<>/dev/tcp/{self.address}/{self.port(port)}"
                done = self.cluster.node.run("bash", "-c", connect, seconds=probe["timeoutSeconds"])
            case _:
                raise NotImplementedError(f"the {name} of {self.name} is of a kind not known here: {probe}")
        return done.returncode == 0

    def port(self, port: str | int) -> int:
        """The number of a container's port, by its name or itself."""
        named = {item["name"]: item["containerPort"] for item in self.container["ports"]}
        return named.get(port, port)

    def until_ready(self, seconds: float = 60) -> None:
        """Waits for the startup probe, and then for the readiness probe."""
        for probe in PROBES[:2]:
            self.until(f"its {probe} succeeds", lambda probe=probe: self.probe(probe), seconds)
        self.ready = True
        self.cluster.publish()

    def until(self, what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """The condition's first true value; the test fails, with the log's end, when it ends or time is up."""
        began = time.monotonic()
        while not (value := condition()):
            ended, waited = self.running.code is not None, time.monotonic() - began
            if ended or waited > seconds:
                problem = f"ended with code {self.running.code}" if ended else f"had {seconds:g} s"
                log = "\n".join(self.running.output.splitlines()[-40:])
                pytest.fail(f"{self.name} {problem}, and not yet: {what}\n{log}")
            time.sleep(min(0.2 + waited / 20, 1))  # a question costs the processors that are waited for
        return value

    def execute(self, *command: str, seconds: float = 30) -> str:
        """The output of a command in the container; the test fails when the command does."""
        done = self.running.execute(*command, seconds=seconds)
        assert done.returncode == 0, f"{command} in {self.name}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def stop(self) -> None:
        """Ends the pod within its grace period, as its deletion does."""
        self._lost()
        self.running.stop(self.spec["terminationGracePeriodSeconds"])

    def kill(self) -> None:
        """Ends the pod at once, as the loss of its node does."""
        self._lost()
        self.running.kill()

    def complete(self, command: Sequence[str] | None = None, seconds: float = 120) -> str:
        """Runs the pod to its end, as `helm test` does, and gives its log; the test fails when the pod does."""
        running = self.start(command)
        code = running.process.wait(seconds)
        assert code == 0, f"{self.name} ended with code {code}\n{running.output}"
        return running.output

    def _lost(self) -> None:
        self.ready = False
        self.cluster.publish()

    def _environment(self) -> dict[str, str]:
        environment: dict[str, str] = {}
        for variable in self.container["env"]:
            match variable:
                case {"value": value}:
                    environment[variable["name"]] = expand(value, environment)
                case {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}:
                    environment[variable["name"]] = self.name
                case {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}:
                    environment[variable["name"]] = self.address
                case _:
                    raise NotImplementedError(f"{self.name} has a variable of a kind not known here: {variable}")
        return environment

    def _mounts(self) -> list[Mount]:
        return [
            Mount(self.volumes[mount["name"]], mount["mountPath"], read_only=mount.get("readOnly", False))
            for mount in self.container["volumeMounts"]
        ]

    def _volume(self, name: str, described: Mapping[str, Object]) -> Path:
        if name in self.claims:
            folder = self.sandbox.folder / "claims" / name
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        folder = self.sandbox.new_folder(f"{name}-")
        match described[name]:
            case {"emptyDir": _}:
                pass
            case {"configMap": {"name": configmap, **rest}} if not rest:
                write(folder, self.cluster.configmaps[configmap]["data"])
            case {"secret": {"secretName": secret, **rest}} if not rest:
                write(folder, self.cluster.secrets[secret])
            case _:
                raise NotImplementedError(f"{self.name} has a volume of a kind not known here: {described[name]}")
        return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)


def name_of(item: Object) -> str:
    return item["metadata"]["name"]


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The text with its `$(NAME)` replaced, as Kubernetes does in commands and variables."""
    return re.sub(r"\$\((\w+)\)", lambda match: environment.get(match[1], match[0]), text)
