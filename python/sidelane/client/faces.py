"""Shared parts of the SDK's clients: remedies with the connection's flags, and verbs that wait for their results."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from sidelane.errors import InvalidInput
from sidelane.naming.subject import kind
from sidelane.releases.context import Context

A = TypeVar("A")
C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., object])
P = ParamSpec("P")
R = TypeVar("R")


class _HasContext(Protocol):
    _context: Context


def advising(face: type[C]) -> type[C]:
    """A class decorator that adds the connection's flags to the commands in errors of every verb."""
    for name, verb in inspect.getmembers(face, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            setattr(face, name, _advising(verb))
    return face


def _advising(verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(verb)
    async def call(self: _HasContext, *args: Any, **kwargs: Any) -> Any:
        with self._context.advising():
            return await verb(self, *args, **kwargs)

    return call


class Waits(Generic[A]):
    """A client whose verbs wait. asynchronous: the client that does the work."""

    #: The expression for the asynchronous client, for remedies.
    _written: ClassVar = "AsyncClient(...)"

    def __init__(self, asynchronous: A) -> None:
        self._asynchronous = asynchronous

    def _wait(self, verb: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a verb and returns its result. Raises InvalidInput inside an event loop, which it would block."""
        if _in_a_loop():
            name = getattr(verb, "__name__", "")
            raise InvalidInput(
                f"{type(self).__name__}.{name} was called inside a running event loop, which it would block",
                remedy=f"use `await {self._written}.{name}(...)` there",
            )
        return asyncio.run(verb(*args, **kwargs))


def waiting(
    verb: Callable[Concatenate[A, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Waits[A], P], R]:
    """Returns a waiting version of an asynchronous verb, with its arguments, types and docstring."""

    def call(self: Waits[A], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._wait(functools.partial(verb, self._asynchronous), *args, **kwargs)

    functools.update_wrapper(call, verb)
    return call


def with_arguments_of(
    model: Callable[Concatenate[Any, P], object],
) -> Callable[[Callable[..., R]], Callable[Concatenate[Any, P], R]]:
    """A decorator that gives the function the signature and the docstring of the model, and passes on the arguments."""

    def decorate(function: Callable[..., R]) -> Callable[Concatenate[Any, P], R]:
        functools.update_wrapper(function, model)
        return function

    return decorate


def documented_as(model: Callable[..., object]) -> Callable[[F], F]:
    """A decorator that gives the function the name and the docstring of the model, but keeps its signature."""

    def decorate(function: F) -> F:
        functools.update_wrapper(function, model)
        return function

    return decorate


def path_of(file: str | os.PathLike[str]) -> str:
    """Returns a file's path as text. Raises InvalidInput for other types."""
    if not isinstance(file, str | os.PathLike):
        raise InvalidInput(f"a file must be a path, not {kind(file)}", remedy="write it such as 'lane.yaml'")
    return os.fspath(file)


def _in_a_loop() -> bool:
    # A separate function, so that errors of the verb have no other error as their context.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
