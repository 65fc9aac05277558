"""The run of a command: its client, progress, result, errors and exit code."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from sidelane.cli import printing
from sidelane.cli.progress import Progress
from sidelane.errors import ApplyFailed, ReleaseConflict, SidelaneError
from sidelane.support.advice import Place

if TYPE_CHECKING:
    from sidelane.client import AsyncClient

P = ParamSpec("P")
T = TypeVar("T")

#: A program that a signal ended has the exit code 128 plus the signal's number (POSIX shells).
SIGNALLED = 128


def reports_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Prints the function's errors on standard error, in the command's output format, and exits with their code."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except SidelaneError as error:
            if isinstance(error, ReleaseConflict) and error.free:
                from sidelane.cli import again

                again.advise(error, kwargs)
            if isinstance(error, ApplyFailed):
                from sidelane.cli import again

                again.advise_to_continue(error, kwargs)
            if as_text(kwargs.get("format_", "table")):
                printing.say(f"Error: {error}", err=True)
            else:
                printing.error(error)
            raise SystemExit(error.exit_code) from None
        except BrokenPipeError:  # the reader of our output has closed it
            sys.stderr.close()
            raise SystemExit(SIGNALLED + signal.SIGPIPE) from None
        except OSError as error:  # a full disk, a read-only folder
            place = f"{error.filename}: " if error.filename else ""
            printing.say(f"Error: {place}{error.strerror or error}", err=True)
            raise SystemExit(1) from None

    return call


def as_text(format_: Any) -> bool:
    """Returns whether errors are text; a check has several outputs, of which one may be standard output."""
    formats = [format_] if isinstance(format_, str) else [output.format for output in format_ if output.file is None]
    return not {"json", "yaml"} & {*formats}


def with_client(work: Callable[[AsyncClient], Coroutine[Any, Any, T]], **settings: Any) -> T:
    """Runs work with a client of these settings and with progress; a signal also ends its Helm processes."""
    from sidelane.client import AsyncClient

    with Progress() as progress:
        return run(work(AsyncClient(**settings, progress=progress)), Place.of(settings))


def run(work: Coroutine[Any, Any, T], place: Place) -> T:
    """Runs work to its end, or until SIGINT or SIGTERM cancels it; the exit code then has the signal's number."""
    import asyncio

    got: list[int] = []

    async def until_signalled() -> T:
        task = asyncio.ensure_future(work)

        def stop(number: int) -> None:
            got.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
        return await task

    try:
        return asyncio.run(until_signalled())
    except asyncio.CancelledError:
        number = got[0] if got else signal.SIGINT
        printing.say(place.whole(f"Error: stopped by {signal.Signals(number).name}; see `sidelane list`"), err=True)
        raise SystemExit(SIGNALLED + number) from None
