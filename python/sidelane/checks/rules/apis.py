"""API versions that Kubernetes has deprecated or removed.

From the lifecycle declarations of k8s.io/api v0.37.1 (zz_generated.prerelease-lifecycle.go), and from Kubernetes'
Deprecated API Migration Guide for those that are no longer in it. Kinds that no chart contains, such as reviews, are
left out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: The newest version of Kubernetes that the table knows: 1.37.
NEWEST: Final = 37


class Ending(NamedTuple):
    """The minor versions of Kubernetes 1.x that deprecate and remove an API version, and the one to use instead."""

    deprecated: int
    removed: int
    instead: str


_ADMISSION: Final = "admissionregistration.k8s.io"
_ROWS: Final = (
    # apiVersion, kinds, deprecated in 1.x, removed in 1.x, use instead
    (f"{_ADMISSION}/v1alpha1", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding", 35, 38, "v1"),
    (f"{_ADMISSION}/v1alpha1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", 29, 32, "v1"),
    (f"{_ADMISSION}/v1beta1", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding", 37, 40, "v1"),
    (f"{_ADMISSION}/v1beta1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", 31, 34, "v1"),
    (f"{_ADMISSION}/v1beta1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration", 16, 22, "v1"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", 16, 22, "v1"),
    ("apiregistration.k8s.io/v1beta1", "APIService", 19, 22, "v1"),
    ("apps/v1beta1", "ControllerRevision Deployment StatefulSet", 8, 16, "v1"),
    ("apps/v1beta2", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", 9, 16, "v1"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", 22, 25, "v2"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", 23, 26, "v2"),
    ("batch/v1beta1", "CronJob", 21, 25, "v1"),
    ("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", 34, 37, "v1beta1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest", 19, 22, "v1"),
    ("coordination.k8s.io/v1beta1", "Lease", 19, 22, "v1"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice", 21, 25, "v1"),
    ("events.k8s.io/v1beta1", "Event", 22, 25, "v1"),
    ("extensions/v1beta1", "DaemonSet Deployment ReplicaSet", 8, 16, "apps/v1"),
    ("extensions/v1beta1", "NetworkPolicy", 9, 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "Ingress", 14, 22, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy", 11, 16, ""),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema PriorityLevelConfiguration", 23, 26, "v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema PriorityLevelConfiguration", 26, 29, "v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema PriorityLevelConfiguration", 29, 32, "v1"),
    ("networking.k8s.io/v1beta1", "Ingress IngressClass", 19, 22, "v1"),
    ("networking.k8s.io/v1beta1", "IPAddress ServiceCIDR", 34, 37, "v1"),
    ("node.k8s.io/v1beta1", "RuntimeClass", 22, 25, "v1"),
    ("policy/v1beta1", "PodDisruptionBudget", 21, 25, "v1"),
    ("policy/v1beta1", "PodSecurityPolicy", 21, 25, ""),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole ClusterRoleBinding Role RoleBinding", 17, 22, "v1"),
    ("resource.k8s.io/v1beta1", "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice", 35, 38, "v1"),
    ("resource.k8s.io/v1beta2", "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice", 36, 39, "v1"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass", 14, 22, "v1"),
    ("storage.k8s.io/v1alpha1", "CSIStorageCapacity VolumeAttachment", 21, 24, "v1"),
    ("storage.k8s.io/v1alpha1", "VolumeAttributesClass", 32, 35, "v1"),
    ("storage.k8s.io/v1beta1", "CSIDriver StorageClass VolumeAttachment", 19, 22, "v1"),
    ("storage.k8s.io/v1beta1", "CSINode", 17, 22, "v1"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", 24, 27, "v1"),
    ("storage.k8s.io/v1beta1", "VolumeAttributesClass", 34, 37, "v1"),
)  # fmt: skip


def _instead(api_version: str, instead: str) -> str:
    return instead if "/" in instead or not instead else f"{api_version.partition('/')[0]}/{instead}"


#: apiVersion and kind → its ending.
ENDINGS: Final = {
    (api_version, kind): Ending(deprecated, removed, _instead(api_version, instead))
    for api_version, kinds, deprecated, removed, instead in _ROWS
    for kind in kinds.split()
}
