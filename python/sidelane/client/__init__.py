"""The SDK's interface: the verbs of the command line, on one cluster or one directory.

    from sidelane import Client, Lane

    client = Client(namespace="streams")
    client.install("zookeeper", Lane("2-coco", 1), values={"replicas": 5})

AsyncClient, its AsyncRoutes and its AsyncShifts are the only implementation. Client, Routes and Shifts have the same
verbs for scripts, and wait for each result. A verb parses its arguments and passes on one Context; the work is in
releases/, routes/, lanes/ and graph/, and does not belong here.
"""

from sidelane.client.asynchronous import AsyncClient
from sidelane.client.asynchronous_routes import AsyncRoutes
from sidelane.client.asynchronous_shifts import AsyncShifts
from sidelane.client.synchronous import Client, Routes, Shifts

__all__ = ["AsyncClient", "AsyncRoutes", "AsyncShifts", "Client", "Routes", "Shifts"]
