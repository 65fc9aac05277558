"""Pods meet the restricted Pod Security Standard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sidelane.checks.rules.examples import RELEASE, edited
from sidelane.checks.rules.rule import Context, Problem, Rule, shown
from sidelane.checks.rules.workloads import containers
from sidelane.manifest import PodTemplate
from sidelane.manifest.fields import Fields, at, mapping, walk

_VOLUMES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image",
})  # fmt: skip
_SYSCTLS: Final = frozenset({
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
})  # fmt: skip
_SELINUX: Final = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SECCOMP: Final = ("RuntimeDefault", "Localhost")
_APPARMOR: Final = (None, "RuntimeDefault", "Localhost")
_HANDLERS: Final = Fields(
    (f"{handler}.{kind}.host", None)
    for handler in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")
    for kind in ("httpGet", "tcpSocket")
)
_PROC: Final = (None, "Default")


def _check(context: Context) -> Iterator[Problem]:
    for obj in context.manifest.objects:
        # Of a pod of Windows the standard demands less, and nothing of what follows but the host's namespaces.
        if (template := obj.pod_template) and at(template.spec, "os", "name") != "windows":
            for path, message in (*_of_pod(template), *_of_containers(template)):
                yield Problem(obj, path, message)


_Found = Iterator[tuple[str, str]]


def _of_pod(template: PodTemplate) -> _Found:
    spec, base = template.spec, template.within("spec")
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{base}.{field}", f"{field} must not be true"
    for path, volume in walk(spec, "volumes[]", base):
        kinds = [key for key, value in volume.items() if value is not None] if isinstance(volume, dict) else []
        for kind in kinds:
            if kind != "name" and kind not in _VOLUMES:
                yield path, f"a volume must not be a {kind}"
    for path, name in walk(spec, "securityContext.sysctls[].name", base):
        if str(name) not in _SYSCTLS:
            yield path, f"the sysctl {shown(name)} is not allowed"
    yield from _of_context(mapping(spec, "securityContext"), f"{base}.securityContext", roots=_maps_users(spec))


def _of_containers(template: PodTemplate) -> _Found:
    of_pod = mapping(template.spec, "securityContext")
    roots = _maps_users(template.spec)
    for path, container in containers(template):
        own, base = mapping(container, "securityContext"), f"{path}.securityContext"
        yield from _of_context(own, base, roots=roots)
        yield from _of_rights(own, base)
        # A field of the container overrides the pod's.
        effective: dict[str, Any] = {**of_pod, **{key: value for key, value in own.items() if value is not None}}
        if effective.get("runAsNonRoot") is not True and not roots:
            yield f"{base}.runAsNonRoot", "runAsNonRoot must be true in the container or its pod"
        if at(effective, "seccompProfile", "type") is None:
            yield f"{base}.seccompProfile", "seccompProfile.type must be RuntimeDefault or Localhost"
        for inner, host, _ in _HANDLERS.walk(container, path):
            if host:
                yield inner, "a probe or hook must not name a host"
        for inner, port in walk(container, "ports[].hostPort", path):
            if port != 0:
                yield inner, f"the host port {shown(port)} is not allowed"


def _of_context(context: Mapping[str, Any], base: str, *, roots: bool) -> _Found:
    """Yield the faults of a pod's or a container's security context. roots: root is allowed."""
    if context.get("runAsUser") == 0 and not roots:
        yield f"{base}.runAsUser", "runAsUser must not be 0"
    options = mapping(context, "seLinuxOptions")
    if options.get("type") not in _SELINUX or options.get("user") or options.get("role"):
        yield f"{base}.seLinuxOptions", "seLinuxOptions must not have a user, a role or another type"
    profile = at(context, "seccompProfile", "type")
    if profile is not None and profile not in _SECCOMP:
        yield f"{base}.seccompProfile.type", f"seccompProfile.type must be {' or '.join(_SECCOMP)}"
    if at(context, "appArmorProfile", "type") not in _APPARMOR:
        yield f"{base}.appArmorProfile.type", "appArmorProfile.type must be RuntimeDefault or Localhost"
    if at(context, "windowsOptions", "hostProcess"):
        yield f"{base}.windowsOptions.hostProcess", "hostProcess must not be true"


def _of_rights(context: Mapping[str, Any], base: str) -> _Found:
    if context.get("privileged"):
        yield f"{base}.privileged", "privileged must not be true"
    if context.get("procMount") not in _PROC:
        yield f"{base}.procMount", "procMount must be Default"
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{base}.allowPrivilegeEscalation", "allowPrivilegeEscalation must be false"
    dropped = [value for _, value in walk(context, "capabilities.drop[]")]
    if "ALL" not in dropped:
        yield f"{base}.capabilities.drop", "capabilities.drop must contain ALL"
    for path, added in walk(context, "capabilities.add[]", base):
        if added != "NET_BIND_SERVICE":
            yield path, f"the capability {shown(added)} must not be added"


def _maps_users(spec: Mapping[str, Any]) -> bool:
    """Return whether root in the pod is another user on the node, for which the standard allows it from 1.35 on."""
    return spec.get("hostUsers") is False


_WRONG: Final = (
    ("        runAsNonRoot: true\n", ""),
    ("{type: RuntimeDefault}", "{type: Unconfined}"),
    ("            allowPrivilegeEscalation: false\n", ""),
    ("{drop: [ALL]}", "{drop: [ALL], add: [NET_ADMIN]}"),
    ("      automountServiceAccountToken", "      hostNetwork: true\n      automountServiceAccountToken"),
    ("configMap: {name: svc1-v1-2-coco-1}", "hostPath: {path: /var/log}"),
    ("containerPort: 8080", "containerPort: 8080, hostPort: 8080"),
)

RULE: Final[Rule] = Rule(
    id="restricted-pods",
    title="Pods meet the restricted Pod Security Standard",
    explanation=(
        "A namespace that enforces the standard refuses other pods, but the API server accepts their Deployment: it "
        "then has no pods. The rule follows the published profile, which includes the baseline profile."
    ),
    remedy="use the library chart's security contexts, or label the namespace with a weaker profile by intent",
    wrong=tuple(edited(RELEASE, edit) for edit in _WRONG),
    right=(RELEASE, edited(RELEASE, ("{drop: [ALL]}", "{drop: [ALL], add: [NET_BIND_SERVICE]}"))),
    check=_check,
    origin="Kubernetes, Pod Security Standards: restricted",
    scope="practice",
    severity="warning",
)
