"""Ctrl-C means Ctrl-C, also where the tests run in the background, whose processes begin by ignoring it."""

import signal

import pytest


@pytest.fixture(autouse=True)
def _ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
