"""A node's programs, in place of which others run: a start succeeds only with all of them."""

import os
import shutil

import nodecluster
import nodetools
import pytest
from controlplane import ControlPlaneError
from nodecluster import NodeCluster, find_node
from nodesettings import DNS_READY, PROXY_HEALTH
from nodetools import Node

PORTS = {"kube-proxy": PROXY_HEALTH, "coredns": DNS_READY}


@pytest.mark.parametrize("lacking", PORTS)
def test_a_program_that_ends_while_the_node_gets_ready_shows_its_log(tmp_path, lacking):
    """kube-proxy ends where the kernel has no nftables for IPv4; the node takes pods all the same."""
    cluster = NodeCluster(Node(tmp_path, tmp_path), tmp_path)
    cluster.folder = tmp_path
    cluster._ended.set()  # so nobody looks for claims

    def run(name, *_):
        script = "echo Operation not supported; exit 1" if name == lacking else "exec sleep 60"
        cluster._spawn(name, ["sh", "-c", script])

    vars(cluster).update(
        _call=lambda *_: b"",
        _keep=lambda _: None,
        _own_kubeconfig=lambda _: tmp_path,
        _run=run,
        _await=lambda name, condition: name == "containerd" or NodeCluster._await(cluster, name, condition),
        _nodes_take_pods=lambda: True,
        _listens=lambda _, port: port != PORTS[lacking],
    )
    try:
        with pytest.raises(ControlPlaneError, match=rf"{lacking} ended with code 1\n(.*\n)*Operation not supported"):
            cluster._start_nodes()
    finally:
        cluster._end()


def test_a_kernel_that_leaves_out_the_rules_between_pods_is_refused_with_what_to_do(tmp_path, monkeypatch):
    """As Debian's, until it loads br_netfilter. A node would start, and its pods not reach one another's Services."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(nodetools, "find", lambda: Node(tmp_path, tmp_path))
    monkeypatch.setattr(nodecluster, "BRIDGE_RULES", tmp_path / "bridge-nf-call-iptables")
    with pytest.raises(ControlPlaneError, match="run `modprobe br_netfilter`"):
        find_node()
