"""The last lines of logs, from an API server that a test plays: how it is reached, and what bounds it."""

import asyncio
import http.server
import json
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from sidelane.helm.client import Helm
from sidelane.releases.readiness import Cleaner, Container, Readiness, Unready
from sidelane.releases.waiting import logs


class Server(http.server.ThreadingHTTPServer):
    """Answers each request by ``answer(handler)``, and keeps its path and headers."""

    daemon_threads = True

    def __init__(self, answer):
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):  # noqa: N805
                self.asked.append(
                    (urlsplit(handler.path), {key.title(): value for key, value in handler.headers.items()})
                )
                answer(handler)

            def log_message(handler, *_):  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_):
        pass  # a client that has read enough goes


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """On a machine with other work the import of Kubernetes' client alone may take the whole time."""
    monkeypatch.setattr(logs, "SECONDS", 300.0)
    monkeypatch.setattr(logs, "_TIMES", (60.0, 60.0))


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        servers.append(Server(answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def says(text, status=200):
    def answer(handler):
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def kubeconfig(path, server, **user):
    name = path.stem
    path.write_text(
        json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        })
    )  # fmt: skip
    return str(path)


def read(settings, *containers, clean=None):
    containers = containers or (Container("zookeeper", "running"),)
    unready = Unready("Pod", "zk-0", "streams", containers=containers)
    helm = SimpleNamespace(settings=settings)
    ready = asyncio.run(logs.added(helm, Readiness(0, 1, complete=False, unready=(unready,)), clean or Cleaner()))
    return ready.unready[0].containers


def test_the_last_lines_of_a_container_that_runs(serve, tmp_path):
    server = serve(says("".join(f"line {number}\n" for number in range(30)) + "password is hunter2hunter2\n"))
    settings = {"KUBECONFIG": kubeconfig(tmp_path / "one", server, token="of-the-file")}
    (unready,) = read(settings, clean=Cleaner(["hunter2hunter2"]))
    assert unready.log == (*(f"line {number}" for number in range(21, 30)), "password is (hidden)")
    ((path, headers),) = server.asked
    assert path.path == "/api/v1/namespaces/streams/pods/zk-0/log"
    assert parse_qs(path.query) == {"container": ["zookeeper"], "tailLines": ["20"], "limitBytes": ["16384"]}
    assert headers["Authorization"] == "Bearer of-the-file"


def test_it_connects_as_helm_does(serve, tmp_path):
    wrong, right = serve(says("wrong")), serve(says("right"))
    files = f"{tmp_path / 'missing'}:{kubeconfig(tmp_path / 'one', wrong)}:{kubeconfig(tmp_path / 'two', right)}"
    assert read({"KUBECONFIG": files})[0].log == ("wrong",)
    assert read({"KUBECONFIG": files, "HELM_KUBECONTEXT": "two"})[0].log == ("right",)
    address = f"http://127.0.0.1:{right.server_port}"
    settings = {
        "KUBECONFIG": files,
        "HELM_KUBEAPISERVER": address,
        "HELM_KUBETOKEN": "of-helm",
        "HELM_KUBEASUSER": "me",
    }
    assert read(settings)[0].log == ("right",)
    _, headers = right.asked[-1]
    assert (headers["Authorization"], headers["Impersonate-User"]) == ("Bearer of-helm", "me")
    assert read({"KUBECONFIG": "/nowhere", "HELM_KUBEAPISERVER": address})[0].log == ("right",)


def test_a_helm_token_takes_the_place_of_the_files_own(serve, tmp_path):
    server = serve(says("right"))
    settings = {"KUBECONFIG": kubeconfig(tmp_path / "one", server, token="of-the-file"), "HELM_KUBETOKEN": "of-helm"}
    assert read(settings)[0].log == ("right",)
    assert server.asked[0][1]["Authorization"] == "Bearer of-helm"
    assert "of-helm" not in (tmp_path / "one").read_text()


def test_what_helm_is_given_is_what_it_connects_by(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/a")
    monkeypatch.setenv("HELM_KUBECAFILE", "/ca")
    helm = Helm(executable="helm", kube_context="there", kube_token="secret")
    assert {key: helm.settings[key] for key in ("KUBECONFIG", "HELM_KUBECAFILE", "HELM_KUBECONTEXT")} == {
        "KUBECONFIG": "/a", "HELM_KUBECAFILE": "/ca", "HELM_KUBECONTEXT": "there",
    }  # fmt: skip
    assert helm.settings["HELM_KUBETOKEN"] == "secret"


def test_a_credential_plugin_is_asked(serve, tmp_path):
    server = serve(says("right"))
    plugin = tmp_path / "plugin"
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "of-the-plugin"},
    }  # fmt: skip
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    plugin.chmod(0o755)
    run = {"apiVersion": credential["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    assert read({"KUBECONFIG": kubeconfig(tmp_path / "one", server, exec=run)})[0].log == ("right",)
    assert server.asked[0][1]["Authorization"] == "Bearer of-the-plugin"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (403, "{}", "the API server refused it"),
        (404, "{}", "the pod is gone"),
        (
            400,
            json.dumps({"message": "container zookeeper is waiting to start"}),
            "container zookeeper is waiting to start",
        ),
        (500, "\x1b[31mno", "Internal Server Error"),
    ],
)
def test_a_log_that_can_not_be_read_says_why(serve, tmp_path, status, body, why):
    server = serve(says(body, status))
    (unready,) = read({"KUBECONFIG": kubeconfig(tmp_path / "one", server)})
    assert (unready.log, unready.log_problem) == ((), f"the log can't be read: {why}")


def test_no_settings_and_no_server_fail_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (unready,) = read({})
    assert unready.log_problem.startswith("the log can't be read: ")
    (tmp_path / "broken").write_text("{")
    assert read({"KUBECONFIG": str(tmp_path / "broken")})[0].log_problem.startswith("the log can't be read: ")


def test_a_log_without_end_is_bounded_in_bytes(serve, tmp_path):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 1000 + b"\n")

    (unready,) = read({"KUBECONFIG": kubeconfig(tmp_path / "one", serve(endless))})
    assert len(unready.log) == 10
    assert all(len(line) <= 500 for line in unready.log)


def test_a_server_that_does_not_answer_is_bounded_in_time(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "SECONDS", 1.0)
    monkeypatch.setattr(logs, "_TIMES", (3.0, 5.0))  # until then the thread that reads is waited for
    server = serve(lambda _: time.sleep(30))
    (unready,) = read({"KUBECONFIG": kubeconfig(tmp_path / "one", server)})
    assert unready.log_problem == "the log was not read in time"


def test_only_what_lacks_lines_is_read_and_only_some(serve, tmp_path):
    server = serve(says("read"))
    settings = {"KUBECONFIG": kubeconfig(tmp_path / "one", server)}
    said = Container("said", "waiting", "CrashLoopBackOff", log=("its own",))
    waits = Container("waits", "waiting", "ImagePullBackOff")
    ready = read(settings, said, waits, *(Container(f"c{number}", "running") for number in range(8)))
    assert (ready[0].log, ready[1].log) == (("its own",), ())
    assert [container.log for container in ready[2:]] == [("read",)] * 5 + [()] * 3


def test_the_client_is_imported_for_logs_alone():
    program = (
        "import sidelane.releases.waiting.logs, sidelane.releases.stores.waits, sys; print('kubernetes' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
