"""A watch over a whole test run: no resident's name or number in a log line, an error, a metric, an address, or what a process says aside.

Listened to are every logging record of this process, every error a user can meet (in both languages), every request's address, redirect and link,
the bodies of refusals and of health pages, what child processes write to stderr (servers also to stdout), the addresses browsers ask for, and the
database servers' own logs. Where several processes run tests each listens, and the one that leads them judges what all have heard. Canaries are
all residents of the fictional cities that the run made, a thousand at least, and the names that tests use; a number is one wherever its date and
check character are right. The run fails at its end, naming test and place.
"""

import json
import logging
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: a city of the run has at least so many residents
CANARIES = 1000
#: persons that tests make up one by one
MADE_UP = frozenset(
    {
        "王伟", "张三", "李娜", "李四", "欧阳若兰", "尉迟恭", "陈水生", "王芳", "王建伟", "欧阳修", "王玮", "李岚", "李那", "單雄信", "王小芳",
        "王小明", "李明芳", "李强", "李兰", "高楷浩", "买买提",
    }
)  # fmt: skip
HAN = re.compile(r"[\u3400-\u9fff·]{2,}")
NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LINK = re.compile(r"""\b(?:href|src|action|formaction|hx-[a-z-]+)\s*=\s*["']([^"']*)""")
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
#: pages whose answers are figures for machines
FIGURES = re.compile(r"^/(health|trace-health|metrics)")
#: verbs that run until they are stopped: all they say is a log, while other verbs' stdout is the answer asked for
SERVING = {"serve", "worker", "timetable", "sequence", "witness", "watch", "granian"}
SERVER_LOG = "server.log"
LONGEST_NAME = 8


@dataclass(frozen=True)
class Heard:
    """A word that may be a canary: where and in which test it was heard."""

    word: str
    place: str
    test: str


@dataclass
class Watch:
    """What was heard so far. Only what could be a name or a number is kept."""

    heard: set[Heard] = field(default_factory=set)
    files: set[tuple[str, str]] = field(default_factory=set)
    test: str = "before the first test"

    def listen(self, text: str, place: str) -> None:
        """Take in what was said at `place`."""
        text = ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
        for word in {*HAN.findall(text), *(number for number in NUMBER.findall(text) if is_citizen_number(number))}:
            self.heard.add(Heard(word.upper(), place, self.test))

    def said_aside(self, process: Any, content: object, stream: str) -> None:
        """What a child process wrote to one of its streams."""
        verbs = process.args if isinstance(process.args, list | tuple) else str(process.args).split()
        if content and (stream == "stderr" or SERVING & {str(verb) for verb in verbs}):
            text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
            # what Python repeats of a script given on the command line is the test's own
            program = " ".join(os.path.basename(str(verb)) for verb in verbs[:4] if len(str(verb)) < 60)
            self.listen(text, f"{stream} of {program}")

    def leaks(self, canaries: set[str]) -> list[Heard]:
        """What was heard that is a canary."""
        found = []
        for heard in self.heard:
            if heard.word[0].isdigit() or any(part in canaries for part in parts(heard.word)):
                found.append(heard)
        return sorted(found, key=lambda one: (one.test, one.place))


def parts(run: str) -> Iterable[str]:
    """Every piece of a run of characters that is as long as a name may be."""
    for begin in range(len(run)):
        for length in range(2, min(LONGEST_NAME, len(run) - begin) + 1):
            yield run[begin : begin + length]


def is_citizen_number(text: str) -> bool:
    """Whether date of birth and check character are right (GB 11643); a running number or a hash is so once in thousands of times at most."""
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    remainder = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text[:17], strict=True)) % 11
    return 1880 <= born.year <= 2030 and text[17].upper() == "10X98765432"[remainder]


def names_in(folders: Iterable[Path]) -> set[str]:
    """The names of all residents of the cities below the folders."""
    import pyarrow.parquet as pq

    names: set[str] = set()
    for folder in folders:
        for truth in folder.rglob("truth/persons.parquet"):
            names |= set(pq.read_table(truth, columns=["name"]).column("name").to_pylist())
    return {name for name in names if name and len(name) >= 2}


@cache
def own_words() -> str:
    """What the product itself says: a name that is such a word proves nothing."""
    texts = [p.read_text("utf-8") for p in (ROOT / "wanjia").rglob("*") if p.suffix in (".py", ".po", ".html", ".js")]
    texts += [
        p.read_text("utf-8")
        for p in (ROOT / "declared").rglob("*")
        if p.suffix in (".toml", ".csv") and "names" not in p.parts
    ]
    return "\n".join(texts)


class Secrecy:
    """The pytest plugin."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.leaks: list[Heard] = []
        self.canaries: set[str] = set()
        self.residents: set[str] = set()
        self.blind = ""
        self._undo: list[Any] = []

    def pytest_sessionstart(self) -> None:
        patch = pytest.MonkeyPatch()
        self._undo.append(patch.undo)
        _hear_logging(self.watch, patch)
        _hear_processes(self.watch, patch)
        _hear_errors(self.watch, patch)
        _hear_requests(self.watch, patch)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.watch.test = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # children that inherit stderr write to what pytest catches; what a test itself prints to stdout is its own affair
        for title, content in report.sections:
            if "stderr" in title:
                self.watch.listen(content, "captured stderr")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        for undo in self._undo:
            undo()
        factory = getattr(session.config, "_tmp_path_factory", None)
        base = getattr(factory, "_basetemp", None)
        folders = [Path(place) for place in (base, os.environ.get("WANJIA_HOME")) if place and Path(place).is_dir()]
        logs = {(str(log), "the run") for folder in folders for log in folder.rglob(SERVER_LOG)}
        for name, test in self.watch.files | logs:
            if Path(name).is_file():
                self.watch.test = test
                self.watch.listen(Path(name).read_text("utf-8", "replace"), f"file {Path(name).name}")
        self.residents |= names_in(folders)
        if hasattr(session.config, "workeroutput"):
            heard = [(one.word, one.place, one.test) for one in self.watch.heard]
            session.config.workeroutput["secrecy"] = {"heard": heard, "residents": sorted(self.residents)}
            return
        said = own_words()
        self.canaries = {name for name in {*self.residents, *MADE_UP} if name not in said}
        if self.residents and len(self.canaries) < CANARIES:
            self.blind = f"only {len(self.canaries)} names are canaries: too few to show anything"
        self.leaks = self.watch.leaks(self.canaries)
        if (self.leaks or self.blind) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What another process of the run heard."""
        told = getattr(node, "workeroutput", {}).get("secrecy")
        if told is None:
            # it broke: nobody knows what it heard
            self.blind = "a process of the run ended without saying what it heard"
            return
        self.watch.heard |= {Heard(*one) for one in told["heard"]}
        self.residents |= set(told["residents"])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.blind:
            terminalreporter.section("secrecy", sep="=", red=True)
            terminalreporter.line(self.blind)
        if self.leaks:
            terminalreporter.section(f"{len(self.leaks)} canaries in clear", sep="=", red=True)
            for leak in self.leaks[:100]:
                terminalreporter.line(f"{leak.test}: {leak.place}: {leak.word[:60]}")


def _hear_logging(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Every record that is made, whatever handlers there are."""
    made = logging.getLogRecordFactory()

    def heard(*given: Any, **named: Any) -> logging.LogRecord:
        record = made(*given, **named)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = f"{record.msg} {record.args}"
        if record.exc_info and record.exc_info[1] is not None:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        watch.listen(text, f"log {record.name}")
        return record

    logging.setLogRecordFactory(heard)
    patch.setattr(logging, "getLogRecordFactory", lambda: heard)


def _hear_processes(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """What children write: through a pipe when it is read, into a file at the end of the run."""
    communicate, init = subprocess.Popen.communicate, subprocess.Popen.__init__

    def heard(process: Any, /, *given: Any, **named: Any) -> Any:
        out, err = communicate(process, *given, **named)
        watch.said_aside(process, out, "stdout")
        watch.said_aside(process, err, "stderr")
        return out, err

    def begun(process: Any, /, *given: Any, **named: Any) -> None:
        init(process, *given, **named)
        name = getattr(named.get("stderr"), "name", None)
        if isinstance(name, str | os.PathLike):
            watch.files.add((str(name), watch.test))

    patch.setattr(subprocess.Popen, "communicate", heard)
    patch.setattr(subprocess.Popen, "__init__", begun)


def _hear_errors(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Every error a user can meet, in both languages."""
    from wanjia.kernel.errors import WanjiaError

    init = WanjiaError.__init__

    # by place only: an error's own words may be called anything, "error" too
    def heard(error: Any, /, *given: Any, **named: Any) -> None:
        init(error, *given, **named)
        watch.listen(f"{error.sentence('zh')} {error.sentence('en')}", f"error {error.code}")

    patch.setattr(WanjiaError, "__init__", heard)


def _hear_requests(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """Every address asked for, gone on to or offered; refusals and figures whole."""
    from django.test import Client

    asked = Client.request

    def heard(client: Any, /, **request: Any) -> Any:
        answer = asked(client, **request)
        path = str(request.get("PATH_INFO", ""))
        listen_to_answer(
            watch,
            f"{path}?{request.get('QUERY_STRING', '')}",
            answer.status_code,
            answer.headers.get("Location", ""),
            b"" if answer.streaming else answer.content,
        )
        return answer

    patch.setattr(Client, "request", heard)


def listen_to_answer(watch: Watch, address: str, status: int, location: str, content: bytes) -> None:
    """One request and its answer."""
    for url in (address, location):
        watch.listen(unquote_plus(url), "address")
    text = content.decode("utf-8", "replace")
    for link in LINK.findall(text):
        watch.listen(unquote_plus(link), f"link on {address.partition('?')[0]}")
    if status >= 400 or FIGURES.match(address):
        watch.listen(_unquoted(text), f"answer {status} of {address.partition('?')[0]}")


def _unquoted(text: str) -> str:
    """JSON may write characters as escapes."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text
