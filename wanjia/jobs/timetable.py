"""The timetable: the public functions of `minutely` and `nightly` as periodic jobs of a queue in PostgreSQL (procrastinate).

Any number of processes may work on it: each time of a job is queued once, and one process takes it. A job waiting already is not queued again. What a
killed process was at is taken up by the next; a job that finds the main job's lock held is tried again.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from wanjia.jobs import minutely, nightly
from wanjia.kernel.errors import AlreadyRunning, WanjiaError

SHEETS = (minutely, nightly)
QUEUE = "timetable"
CUT_SHORT = "take_up_what_was_cut_short"
#: so many that a long job never keeps a short one waiting: there are fewer locks than this
AT_ONCE = 8
RETRY_SECONDS, TRIES = 120, 30
KEPT_HOURS = 24 * 30

log = logging.getLogger("wanjia.jobs")


class JobFailed(WanjiaError):
    """A job of the timetable ended in an error that nobody foresaw; its own text may hold personal data and is not shown."""

    code = "JOBS-001"
    zh = "定时任务 {job} 失败（{error}）。请查看其最近一次运行，必要时手动运行：wanjia timetable do {job}"
    en = "The job {job} failed ({error}). Run it by hand to see why: wanjia timetable do {job}"


class JobUnknown(WanjiaError):
    """No job of the timetable has this name."""

    code = "JOBS-002"
    zh = "没有名为 {job} 的定时任务。可用：{known}"
    en = "No job is named {job}. Known: {known}"
    exit_code = 2


@dataclass(frozen=True)
class Job:
    """One line of the timetable: `times` is a cron expression in UTC; of jobs with the same `lock` one runs at a time, in the order they were due."""

    name: str
    times: str
    lock: str
    function: Callable[[], None]

    @property
    def says(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self.function) or "").splitlines()[0]


def jobs() -> list[Job]:
    """Every job, in the order of the sheets."""
    return [
        Job(f"{_name_of(sheet)}.{name}", sheet.TIMES, getattr(sheet, "LOCK", name), function)
        for sheet in SHEETS
        for name, function in vars(sheet).items()
        if inspect.isfunction(function) and function.__module__ == sheet.__name__ and not name.startswith("_")
    ]


def do(name: str) -> None:
    """Run one job now, in this process. Raises `JobUnknown`, and the job's own errors."""
    found = next((job for job in jobs() if job.name == name), None)
    if found is None:
        raise JobUnknown(job=name[:80], known=", ".join(job.name for job in jobs()))
    found.function()


def work() -> None:
    """Do the timetable's jobs until told to stop (Ctrl-C, SIGTERM); the job at hand is finished first."""
    app = _app()
    with app.replace_connector(app.connector.get_worker_connector()) as working:
        asyncio.run(_work(working))


async def _work(app: Any) -> None:
    async with app.open_async():
        await app.run_worker_async(queues=[QUEUE], concurrency=AT_ONCE, name="timetable")


def latest() -> dict[str, tuple[str, datetime | None]]:
    """Job → state of its newest time in the queue (todo, doing, succeeded, failed) and when it got there; jobs never due are left out."""
    from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

    found = {}
    for job in jobs():
        newest = ProcrastinateJob.objects.filter(task_name=job.name).order_by("-id").first()
        if newest is not None:
            event = ProcrastinateEvent.objects.filter(job_id=newest.id).order_by("-id").first()
            found[job.name] = (newest.status, event.at if event else None)
    return found


def next_time(job: Job, after: datetime) -> datetime:
    """When the job is due next."""
    from croniter import croniter

    return datetime.fromtimestamp(croniter(job.times, after.timestamp()).get_next(float), UTC)


def _app() -> Any:
    """Procrastinate's app with every job entered; once a process."""
    from procrastinate import RetryStrategy
    from procrastinate.contrib.django import app

    if CUT_SHORT in app.tasks:
        return app
    again = RetryStrategy(max_attempts=TRIES, wait=RETRY_SECONDS, retry_exceptions=[AlreadyRunning])
    for job in jobs():
        task = app.task(_quietly(job), name=job.name, queue=QUEUE, lock=job.lock, queueing_lock=job.name, retry=again)
        app.periodic(cron=job.times)(task)
    cut_short = app.task(
        _take_up_what_was_cut_short, name=CUT_SHORT, queue=QUEUE, queueing_lock=CUT_SHORT, pass_context=True
    )
    app.periodic(cron=minutely.TIMES)(cut_short)
    return app


def _quietly(job: Job) -> Callable[[int], None]:
    """The job as the queue calls it: an unforeseen error is named by its class alone, because the log would repeat its text."""

    def run(timestamp: int) -> None:
        try:
            job.function()
        except WanjiaError:
            raise
        except Exception as error:
            raise JobFailed(job=job.name, error=type(error).__name__) from None

    return run


async def _take_up_what_was_cut_short(context: Any, timestamp: int) -> None:
    """Queue again what a killed process was at, unless it waits already for its next time, and forget what ended long ago."""
    from procrastinate.exceptions import UniqueViolation
    from procrastinate.jobs import Status

    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(queue=QUEUE):
        log.warning("%s was cut short and is taken up again", job.task_name)
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            await manager.finish_job(job, status=Status.ABORTED, delete_job=False)
    await manager.delete_old_jobs(nb_hours=KEPT_HOURS, queue=QUEUE, include_failed=True, include_aborted=True)


def _name_of(sheet: ModuleType) -> str:
    return sheet.__name__.rpartition(".")[2]
