"""An OCI registry that gives out charts, on a loopback address: what `helm pull` asks of one, and no more."""

from __future__ import annotations

import hashlib
import http.server
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file, which also is what a client has to trust."""
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    both.write_text(cert.read_text() + key.read_text())
    return both


@contextmanager
def registry(name: str, packages: Mapping[str, bytes], pem: Path) -> Iterator[str]:
    """Serves a chart's packages by their versions, and gives its reference: ``oci://127.0.0.1:1234/charts/tiny``."""
    blobs: dict[str, tuple[str, bytes]] = {}

    def keep(content: bytes, kind: str) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        blobs[digest] = (kind, content)
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    tags: dict[str, str] = {}
    for version, package in packages.items():
        config = json.dumps({"name": name, "version": version, "apiVersion": "v2"}).encode()
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST}
        manifest |= {"config": keep(config, CONFIG), "layers": [keep(package, CHART)]}
        tags[version] = str(keep(json.dumps(manifest).encode(), MANIFEST)["digest"])

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Registry(http.server.BaseHTTPRequestHandler):
        def setup(self) -> None:
            # Helm 3.17 asks a registry on this machine for its tags with TLS, and for the rest without.
            if self.request.recv(1, socket.MSG_PEEK) == b"\x16":
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            last = path.rpartition("/")[2]
            kind, content = blobs.get(tags.get(last, last), ("", b""))
            if path.endswith("/tags/list"):
                kind, content = "application/json", json.dumps({"name": f"charts/{name}", "tags": [*tags]}).encode()
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(content).hexdigest()}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"oci://127.0.0.1:{server.server_port}/charts/{name}"
        server.shutdown()
