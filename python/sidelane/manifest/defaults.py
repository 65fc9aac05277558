"""Fields that the API server itself adds to an object, and their values.

They come from Kubernetes' defaulting (``SetDefaults_*`` in ``pkg/apis/*/v1/defaults.go``) and allocation. A field with
another value was set by somebody, whatever manager ``metadata.managedFields`` names: a manager is a claim, and anybody
can write ``--field-manager=helm``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sidelane.manifest.objects import Identity

#: The groups whose defaults are listed here.
_GROUPS: Final = frozenset({"", "apps", "autoscaling", "batch", "networking.k8s.io", "policy",
                            "rbac.authorization.k8s.io"})  # fmt: skip
#: Kinds in whose specification admission and controllers set many fields.
_OPEN: Final = frozenset({"Pod", "LimitRange", "Namespace", "Node", "PersistentVolume"})
#: Fields that the API server or a controller allocates, with any value.
_ALLOCATED: Final = frozenset({
    "clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies", "nodePort", "replicas", "secrets",
    "storageClassName", "volumeName", "controller-uid", "job-name", "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name", "dataSourceRef", "volumeAttributesClassName",
})  # fmt: skip
_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "allocateLoadBalancerNodePorts": (True,),
    "apiGroup": ("", "rbac.authorization.k8s.io"),
    "apiVersion": ("v1",),
    "app.kubernetes.io/managed-by": ("Helm",),
    "averageUtilization": (80,),
    "backoffLimit": (6,),
    "completionMode": ("NonIndexed",),
    "completions": (1,),
    "concurrencyPolicy": ("Allow",),
    "defaultMode": (420,),
    "divisor": ("0",),
    "dnsPolicy": ("ClusterFirst",),
    "enableServiceLinks": (True,),
    "expirationSeconds": (3600,),
    "externalTrafficPolicy": ("Cluster",),
    "failedJobsHistoryLimit": (1,),
    "failureThreshold": (3,),
    "imagePullPolicy": ("Always", "IfNotPresent"),
    "initialDelaySeconds": (0,),
    "internalTrafficPolicy": ("Cluster",),
    "ipFamilyPolicy": ("SingleStack",),
    "kind": ("PersistentVolumeClaim",),
    "manualSelector": (False,),
    "maxSurge": ("25%", 0),
    "maxUnavailable": ("25%", 1),
    "minReplicas": (1,),
    "parallelism": (1,),
    "partition": (0,),
    "path": ("/",),
    "pathType": ("ImplementationSpecific",),
    "periodSeconds": (10, 15, 60),
    "phase": ("Pending",),
    "podManagementPolicy": ("OrderedReady",),
    "podReplacementPolicy": ("TerminatingOrFailed", "Failed"),
    "policyTypes": (["Ingress"], ["Ingress", "Egress"]),
    "preemptionPolicy": ("PreemptLowerPriority",),
    "progressDeadlineSeconds": (600,),
    "protocol": ("TCP",),
    "restartPolicy": ("Always",),
    "revisionHistoryLimit": (10,),
    "schedulerName": ("default-scheduler",),
    "scheme": ("HTTP",),
    "selectPolicy": ("Max",),
    "sessionAffinity": ("None",),
    "stabilizationWindowSeconds": (0, 300),
    "successThreshold": (1,),
    "successfulJobsHistoryLimit": (3,),
    "suspend": (False,),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1, 10800),
    "type": ("RollingUpdate", "ClusterIP", "Opaque", ""),
    "volumeMode": ("Filesystem",),
    "whenDeleted": ("Retain",),
    "whenScaled": ("Retain",),
}
#: Fields that are copies of another one beside them.
_COPIES: Final = {"serviceAccount": "serviceAccountName", "targetPort": "port", "hostPort": "containerPort"}


def are_known(identity: Identity) -> bool:
    """Return whether this module knows the defaults of an object's kind."""
    return identity.group in _GROUPS and identity.kind not in _OPEN


def explained(identity: Identity, key: str, value: Any, beside: Mapping[str, Any]) -> bool:
    """Return whether the API server sets this field to this value where it was not given.

    beside: the fields of the same mapping.
    """
    if value is None or value in ("", [], {}) or key in _ALLOCATED:
        return True
    if key in _COPIES:
        return bool(value == beside.get(_COPIES[key]))
    if key == "selector" and identity.kind == "Job":
        return True
    if (
        key in ("behavior", "metrics", "scaleDown", "scaleUp", "policies")
        and identity.kind == "HorizontalPodAutoscaler"
    ):
        return True
    if isinstance(value, Mapping):
        return all(explained(identity, inner, below, value) for inner, below in value.items())
    # 1 and true are equal to Python.
    return any(value == known and isinstance(value, bool) is isinstance(known, bool) for known in _VALUES.get(key, ()))
