"""A target's picture, from what Helm knows."""

from __future__ import annotations

import asyncio

from sidelane.graph.model import Graph
from sidelane.naming.lane import Lane
from sidelane.releases.context import Context
from sidelane.routes.changes import Router


async def gather(context: Context, lane: Lane | None = None) -> Graph:
    """The graph of a namespace, or of one lane. However many releases there are, Helm lists them twice and is asked
    once for each route.
    """
    releases, routes = await asyncio.gather(context.target.releases(), Router.of(context).list())
    namespace = context.namespace or next((release.namespace for release in releases), "")
    graph = Graph.of(namespace or await context.target.chosen(), releases, routes)
    return graph if lane is None else graph.of_lane(lane)
