"""The SDK's interface: the verbs of the command line, on one cluster or one directory.

    from sidelane import Client, Lane

    client = Client(namespace="streams")
    client.install("zookeeper", Lane("2-coco", 1), values={"replicas": 5})

AsyncClient and its AsyncRoutes are the only implementation. Client and Routes have the same verbs for scripts, and wait
for each result. A verb parses its arguments and passes on one Context; the work is in releases/, routes/, lanes/ and
graph/, and does not belong here.
"""

from sidelane.client.asynchronous import AsyncClient
from sidelane.client.asynchronous_routes import AsyncRoutes
from sidelane.client.synchronous import Client, Routes

__all__ = ["AsyncClient", "AsyncRoutes", "Client", "Routes"]
