"""ZooKeeper with TLS for its clients and between its members, by Secrets as cert-manager makes them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programs.pods import Cluster, Pod

    Render = Callable[..., list[dict[str, Any]]]
    Secret = dict[str, str]

# Helm 3 alone: what each Helm renders is tried elsewhere.
pytestmark = pytest.mark.parametrize("helm", ["helm3"], indirect=True, scope="session")

LANE = "tls-1"
TLS = {"secretName": "zk-tls", "client": {"enabled": True, "plaintext": False}, "quorum": {"enabled": True}}


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory, unavailable: Callable[[str], NoReturn]) -> Callable[[str], Secret]:
    """The files of a lane's Secret, all of one authority, with the names that the chart's README asks for."""
    if not shutil.which("openssl"):
        unavailable("no openssl on PATH, which makes certificates; install it")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes")
    openssl(*new, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")

    def secret(lane: str) -> Secret:
        names = (
            f"*.zk-hs-{lane}.streams.svc.cluster.local",
            f"zk-cs-{lane}",
            f"zk-cs-{lane}.streams.svc.cluster.local",
        )
        (folder / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        # PKCS#1, as cert-manager writes keys unless told otherwise, and ZooKeeper does not read them.
        openssl("genrsa", "-traditional", "-out", "tls.key", "2048")
        openssl("req", "-new", "-key", "tls.key", "-subj", "/CN=zookeeper", "-out", "tls.csr")
        sign = ("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial")
        openssl(*sign, "-extfile", "names", "-out", "tls.crt")
        return {name: (folder / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt")}

    return secret


@pytest.fixture(scope="module")
def release(cluster: Cluster, render: Render, secret: Callable[[str], Secret]) -> dict[str, Pod]:
    cluster.secrets["zk-tls"] = secret(LANE)
    return cluster.apply(render("zookeeper", Version="tls", Build="1", tls=TLS))


@pytest.fixture(scope="module")
def ensemble(release: dict[str, Pod]) -> Iterator[list[Pod]]:
    members = [release[f"zk-{LANE}-{ordinal}"] for ordinal in range(3)]
    for member in members:
        member.start()
    for member in members:
        member.until_ready()
    yield members
    for member in members:
        member.kill()


def test_members_and_clients_meet_over_tls(ensemble: list[Pod], release: dict[str, Pod]) -> None:
    assert "sslQuorum=true" in ensemble[0].execute("cat", "/conf/zoo.cfg")
    assert f"on zk-cs-{LANE}:2281" in release[f"zk-test-{LANE}"].complete()


def test_no_client_is_served_without_tls(cluster: Cluster, ensemble: list[Pod]) -> None:
    plain = f"exec 3<>/dev/tcp/{ensemble[0].address}/2181"
    assert "Connection refused" in cluster.node.run("bash", "-c", plain).stderr


def test_no_client_is_served_without_a_certificate(cluster: Cluster, ensemble: list[Pod]) -> None:
    client = f"printf ruok | openssl s_client -quiet -connect {ensemble[0].address}:2281"
    answer = cluster.node.run("bash", "-c", client)
    assert "imok" not in answer.stdout
    assert "alert certificate required" in answer.stderr or "alert bad certificate" in answer.stderr


def test_the_certificate_of_another_lane_lets_nobody_into_the_quorum(
    cluster: Cluster, ensemble: list[Pod], secret: Callable[[str], Secret]
) -> None:
    *others, last = ensemble
    last.kill()
    cluster.secrets["zk-tls"] = secret("other-1")
    last.start()
    refused = "Failed to verify hostname"
    last.until("the others refuse it", lambda: any(refused in other.running.output for other in others))
    assert not last.probe("readinessProbe")
    assert all(other.probe("readinessProbe") for other in others)
