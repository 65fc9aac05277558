"""Hands connections on, from a socket that another network listens on to an address in this one.

    python relay.py DESCRIPTOR HOST PORT

DESCRIPTOR is of a listening socket that this process has inherited.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hands on what comes until it ends, and then the end."""
    with contextlib.suppress(OSError):
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


async def relay(listening: socket.socket, host: str, port: int) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(host, port)
            with contextlib.closing(back):
                await asyncio.gather(copy(reader, back), copy(there, writer))

    server = await asyncio.start_server(connect, sock=listening)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3])))
