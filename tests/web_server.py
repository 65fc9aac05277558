"""A web server of a test, on a port of its own."""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serving(handler):
    """The server of a handler, with its address as `url`, as long as the block. Who asks may give up before its end."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *_: None
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
