"""DBOS Transact: each step's result is stored before the next begins. A step does nothing.

Its own defaults: one process, its thread pool, its connection pool.
"""

import asyncio
import os
import sys
import time
import uuid
from importlib.metadata import version

from dbos import DBOS, SetWorkflowID
from figures import Report, arguments, seconds

OPTIONS = arguments("DBOS")


@DBOS.step()
def step(n: int) -> int:
    return n + 1


@DBOS.workflow()
def chain(length: int) -> int:
    n = 0
    for _ in range(length):
        n = step(n)
    return n


@DBOS.workflow()
def short(n: int) -> int:
    return step(n)


@DBOS.step()
async def second(n: int) -> int:
    await asyncio.sleep(1)
    return n


@DBOS.workflow()
async def branches(width: int) -> int:
    return len(await asyncio.gather(*(second(n) for n in range(width))))


@DBOS.workflow()
def mapped(items: int) -> int:
    queue = DBOS.retrieve_queue("items")
    handles = [queue.enqueue(short, n) for n in range(items)]
    return len([handle.get_result() for handle in handles])


def once(workflow, *given):
    with SetWorkflowID(str(uuid.uuid4())):
        return workflow(*given)


def runs(count: int) -> None:
    handles = [DBOS.start_workflow(short, n) for n in range(count)]
    for handle in handles:
        handle.get_result()


def main() -> None:
    report = Report("DBOS", version("dbos"), OPTIONS)
    if OPTIONS.database_url:
        # SQLAlchemy wants the name of the driver.
        url = OPTIONS.database_url.replace("postgres://", "postgresql+psycopg://", 1)
    else:
        os.makedirs(OPTIONS.data_dir, exist_ok=True)
        url = f"sqlite:///{os.path.abspath(OPTIONS.data_dir)}/dbos-{uuid.uuid4()}.db"
    DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False, "log_level": "ERROR"})
    DBOS.launch()
    DBOS.register_queue("items", worker_concurrency=50, polling_interval_sec=0.05)
    time.sleep(1)
    steps, count, items = OPTIONS.steps, OPTIONS.runs, OPTIONS.items
    report.take("effects", "ms a step", lambda: seconds(lambda: once(chain, steps)) * 1000 / steps)
    report.take("runs", "runs a second", lambda: count / seconds(lambda: runs(count)))
    report.take("branches", "s", lambda: seconds(lambda: asyncio.run(branches(10))))
    report.take("map", "items a second", lambda: items / seconds(lambda: once(mapped, items)), rounds=1)
    DBOS.destroy()
    report.print()


if __name__ == "__main__":
    sys.exit(main())
