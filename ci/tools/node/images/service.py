"""A service for tests: it says which version and pod it is, shows what it was given, and does what a test asks for.

    GET /            the version and the pod, as text
    GET /shown       the version, environment, arguments, user and start as JSON
    GET /file?path=  a file's content, owner and mode as JSON
    GET /slow        an answer after `?seconds=`
    GET /fetch       the answer of `?url=` to a request of this service's own
    GET /ready       200, and 503 when the file /tmp/unready is there
    GET /exit        ends at once with `?code=`

TCP and UDP on port 9000 answer each line with `tcp` or `udp` and the version. On SIGTERM requests that run are answered
first, and a caller that keeps its connection alive is end_asked to close it.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import socketserver
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

VERSION = os.environ.get("APP_VERSION", "?")
STARTED = time.time()
PATIENCE = 60.0  # seconds for requests that run when the end comes; Kubernetes gives fewer
LAST_REQUESTS = 5.0  # seconds for callers to send one more on a connection that they keep, which is then closed

running = 0  # requests
connected = 0  # connections
ending = threading.Event()
counting = threading.Lock()


class Requests(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet

    def handle(self) -> None:
        count(connections=1)
        try:
            super().handle()
        finally:
            count(connections=-1)

    def do_GET(self) -> None:
        count(requests=1)
        try:
            self._answer()
        finally:
            count(requests=-1)

    def _answer(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        code, text = 200, f"{VERSION} {os.environ.get('HOSTNAME')}\n"
        match url.path:
            case "/shown":
                shown = {"version": VERSION, "environment": dict(os.environ), "arguments": sys.argv[1:]}
                text = json.dumps(shown | {"user": os.getuid(), "groups": os.getgroups(), "started": STARTED})
            case "/file":
                place = Path(query["path"])
                try:
                    state = place.stat()
                    content = place.read_text() if place.is_file() else sorted(item.name for item in place.iterdir())
                    text = json.dumps({"content": content, "mode": oct(state.st_mode & 0o7777), "group": state.st_gid})
                except OSError as error:
                    code, text = 404, str(error)
            case "/slow":
                time.sleep(float(query["seconds"]))
            case "/fetch":
                try:
                    with urllib.request.urlopen(query["url"], timeout=10) as answer:
                        text = answer.read().decode()
                except OSError as error:
                    code, text = 502, str(error)
            case "/ready" if Path("/tmp/unready").exists():
                code = 503
            case "/exit":
                print("asked to end", flush=True)
                os._exit(int(query["code"]))
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if ending.is_set():
            self.send_header("Connection", "close")  # and closes it, as http.server has it
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def count(requests: int = 0, connections: int = 0) -> None:
    global running, connected  # noqa: PLW0603 - one server, one count
    with counting:
        running += requests
        connected += connections


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    request_queue_size = 256
    daemon_threads = True


class Lines(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for _ in self.rfile:
            self.wfile.write(f"tcp {VERSION}\n".encode())


class Datagrams(socketserver.DatagramRequestHandler):
    def handle(self) -> None:
        self.wfile.write(f"udp {VERSION}\n".encode())


def main() -> None:
    server = Server(("", int(os.environ.get("PORT", "8080"))), Requests)
    for other in (socketserver.ThreadingTCPServer(("", 9000), Lines), socketserver.UDPServer(("", 9000), Datagrams)):
        threading.Thread(target=other.serve_forever, daemon=True).start()

    def end(*_: object) -> None:
        print("told to end", flush=True)
        ending.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    print(f"{VERSION} listens", flush=True)
    server.serve_forever()
    end_asked = time.monotonic()
    while (running and time.monotonic() < end_asked + PATIENCE) or (
        connected and time.monotonic() < end_asked + LAST_REQUESTS
    ):
        time.sleep(0.02)
    print("ended", flush=True)


if __name__ == "__main__":
    main()
