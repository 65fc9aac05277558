"""The settings of a node's programs (nodecluster.py), as the values that their files hold. JSON is YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import containerd

OBJECTS = Path(__file__).resolve().parent / "node" / "objects.json"
NAME = "node-1"
ADDRESS = "10.89.0.1"
PORT = 6443  # of the API server
PODS = "10.244.0.0/24"
PROXY_HEALTH = 10256  # on 127.0.0.1
DNS_READY = 8181  # on ADDRESS
DNS = "10.96.0.10"  # as in OBJECTS, where the default class of volumes is as well
CLASS = "local"


def network(run: Path) -> dict[str, Any]:
    """The network of the pods, as CNI describes it: a bridge. run: the folder of what the node keeps."""
    addresses = {
        "type": "host-local",
        "dataDir": str(run / "addresses"),
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    # hairpinMode: a pod reaches itself through its own Service.
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "hairpinMode": True, "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def kubelet(run: Path, group: str) -> dict[str, Any]:
    """KubeletConfiguration. group: the node's control group."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # Nothing but the API server reaches this kubelet.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{group}",
        "clusterDNS": [DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{containerd.socket(run)}",
        "enforceNodeAllocatable": ["pods"],
        # A full disk is the machine's trouble, and no pod is to go for it.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzPort": 0,
        "imageGCHighThresholdPercent": 100,  # the images are the node's for good
        "imageGCLowThresholdPercent": 99,
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(run / "pods"),
        "protectKernelDefaults": True,  # look at the kernel's settings and change none; machine.sh says what it finds
        "readOnlyPort": 0,
        "resolvConf": str(run / "resolv.conf"),
        "serializeImagePulls": False,
        "volumePluginDir": str(run / "plugins"),
    }


def proxy(kubeconfig: Path) -> dict[str, Any]:
    """KubeProxyConfiguration. It leaves the kernel's table of connections as large as it is: that is the machine's."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": PODS,
        "hostnameOverride": NAME,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": f"127.0.0.1:{PROXY_HEALTH}",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def corefile(kubeconfig: Path) -> str:
    """CoreDNS's settings, with the lifetimes of a usual cluster."""
    return f""".:53 {{
    bind {ADDRESS}
    errors
    ready {ADDRESS}:{DNS_READY}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 30
    }}
    cache 30
}}
"""


def objects() -> dict[str, list[dict[str, Any]]]:
    """The first objects of a cluster by the paths of the API: DNS and a class of volumes."""
    return dict(json.loads(OBJECTS.read_text()))


def volume(claim: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A volume for a claim of the class: a folder of the node. One of the kind hostPath would get no fsGroup."""
    meta, wanted = claim["metadata"], claim["spec"]
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    return {
        "metadata": {"name": f"volume-{meta['uid']}"},
        "spec": {
            "accessModes": wanted["accessModes"],
            "capacity": {"storage": wanted["resources"]["requests"]["storage"]},
            "claimRef": {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": CLASS,
        },
    }
