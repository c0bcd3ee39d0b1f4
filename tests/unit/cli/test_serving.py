"""`wanjia serve` and `wanjia demo` say where the pages are when they answer there, not before."""

import socket
import subprocess
import sys
import time

import pytest

from wanjia.cli import _options, serve


@pytest.fixture(autouse=True)
def nobody_tells(monkeypatch):
    monkeypatch.setattr(_options, "until_told", lambda: (lambda: False, time.sleep))


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_the_address_is_told_once_when_somebody_answers_there():
    port, told = free_port(), []
    begins_late = f"import time, http.server as h; time.sleep(1); h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
    pages = subprocess.Popen([sys.executable, "-c", begins_late])

    def answering():
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            told.append(pages.poll())
        pages.terminate()

    serve.wait([pages], "127.0.0.1", port, answering=answering)
    assert told == [None]
    assert pages.poll() is not None


def test_pages_that_end_before_are_nowhere():
    told = []
    pages = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    serve.wait([pages], "127.0.0.1", free_port(), answering=lambda: told.append(True))
    assert told == []
