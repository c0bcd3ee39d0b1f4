"""A person at a browser without the browser: logs in and reads pages over real HTTP, on one kept connection."""

import http.client
import re
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Answer:
    """What the server said, where the request ended after redirects, and the seconds of its last request."""

    status: int
    address: str
    text: str
    seconds: float


class Visitor:
    """One logged-in session on the server at `url` (http://host:port)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=60)
        self._cookies: dict[str, str] = {}

    def log_in(self, username: str, password: str) -> None:
        """Through the log-in form. Raises `PermissionError` when the pair is refused."""
        done = self.send("/login/", self.get("/login/"), login=username, password=password)
        if done.address.startswith("/login"):
            raise PermissionError(username)

    def get(self, address: str) -> Answer:
        """One page, following redirects."""
        return self._ask("GET", address, None)

    def send(self, address: str, form: Answer, **fields: str) -> Answer:
        """Send the form that `form` showed (its token goes along), and follow where it leads."""
        token = TOKEN.search(form.text)
        return self._ask("POST", address, urlencode({"csrfmiddlewaretoken": token[1] if token else "", **fields}))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, address: str, body: str | None) -> Answer:
        for _ in range(5):
            headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items()), "Referer": self._url}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            began = time.perf_counter()
            try:
                self._connection.request(method, address, body, headers)
                answer = self._connection.getresponse()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # the server hangs up on who was silent for long; a browser then calls again
                self._connection.close()
                self._connection.request(method, address, body, headers)
                answer = self._connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            seconds = time.perf_counter() - began
            for given in answer.headers.get_all("Set-Cookie", []):
                self._cookies.update({k: m.value for k, m in SimpleCookie(given).items()})
            if answer.status not in (301, 302, 303):
                return Answer(answer.status, address, text, seconds)
            method, address, body = "GET", answer.headers["Location"], None
        raise RecursionError(f"{address} redirects without end")
