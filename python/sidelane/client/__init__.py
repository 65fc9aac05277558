"""The SDK's face: the verbs of the command line, on one cluster or one directory.

    from sidelane import Client, Lane

    client = Client(namespace="streams")
    client.install("zookeeper", Lane("2-coco", 1), values={"replicas": 5})

AsyncClient and its AsyncRoutes are the one implementation. Client and Routes have the same verbs for scripts, each
waiting for its result. A verb reads its arguments and passes on one Context; what it does is in releases/, routes/,
lanes/ and graph/. No work belongs here.
"""

from sidelane.client.asynchronous import AsyncClient
from sidelane.client.asynchronous_routes import AsyncRoutes
from sidelane.client.synchronous import Client, Routes

__all__ = ["AsyncClient", "AsyncRoutes", "Client", "Routes"]
