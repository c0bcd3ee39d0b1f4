"""What comes in: files of the inbox, what databases tell, gathered pushes, landed by a thread of its own while the main job standardises.

Landing waits for the disk, a pull for another's database; standardising waits for neither once the first delivery lies whole.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wanjia.kernel.ahead import ahead

#: waiting pushes of one source become deliveries of up to so many rows
PUSHES_AT_ONCE = 200_000
#: landed deliveries are on the disk, so any number of them may wait
MANY = 1_000_000


@dataclass
class Come:
    """What has come so far; whole when every delivery has been taken."""

    landed: int = 0
    known_again: int = 0
    unmatched: int = 0
    refused: list[tuple[int, str | None, Any]] = field(default_factory=list)
    #: the texts of deliveries that need not be read from what landed
    texts: dict[int, Any] = field(default_factory=dict)


def receiving(
    inbox: Path | None, come: Come, *, receives: bool, by: str, why: str
) -> AbstractContextManager[Iterator[Any]]:
    """The deliveries that are to be standardised, in the order in which that is to be done, each as soon as it lies whole.

    First those that an earlier run left, then (if it `receives`) what lies in `inbox`, what the database sources hold, and what was pushed.
    Receiving is idempotent; `come` counts it. Leaving the block ends it after the delivery it is at. What goes wrong is raised where the
    next delivery is taken.
    """
    return ahead(_in_turn(inbox, come, receives, by=by, why=why), size=lambda _: 1, room=MANY)


def _in_turn(inbox: Path | None, come: Come, receives: bool, *, by: str, why: str) -> Iterator[Any]:
    from django.db import connection

    from wanjia.intake import api as intake

    try:
        waiting, failed = intake.deliveries_received(), intake.sources_that_failed()
        # a delivery that failed lands again under its old number: of one source they are standardised in the order of their numbers
        held = [delivery for delivery in waiting if delivery.source in failed]
        yield from (delivery for delivery in waiting if delivery.source not in failed)
        for delivery in _landed(inbox, come, by=by, why=why) if receives else ():
            come.landed += 1
            if delivery.source in failed:
                held.append(delivery)
            else:
                yield delivery
        yield from sorted(held, key=lambda delivery: delivery.id)
    finally:
        # the thread's own
        connection.close()


def _landed(inbox: Path | None, come: Come, *, by: str, why: str) -> Iterator[Any]:
    from wanjia.intake import api as intake
    from wanjia.intake.errors import IntakeError

    # what databases tell is fetched while files are landed
    with ThreadPoolExecutor(1, "pulling") as pool:
        pulls = {source.code: intake.begin_pull(source.code, pool) for source in intake.pullable_sources()}
        if inbox is not None:
            found = intake.InboxReport()
            yield from intake.land_inbox(inbox, found, by=by, why=why)
            come.known_again += len(found.known)
            come.unmatched += found.unmatched
            come.refused += found.refused
        for code, begun in pulls.items():
            try:
                pulled = intake.pull(code, by=by, why=why, begun=begun)
            except IntakeError as error:
                # one department's database that does not answer must not keep the others' data out
                come.refused.append((0, code, error))
                continue
            if pulled is not None and pulled.was_known:
                come.known_again += 1
            elif pulled is not None:
                if pulled.texts is not None:
                    come.texts[pulled.delivery.id] = pulled.texts
                yield pulled.delivery
    while gathered := intake.gather_pushes(limit=PUSHES_AT_ONCE, by=by, why=why):
        yield from gathered
