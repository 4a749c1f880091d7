"""LangGraph with a checkpoint after each step, written before the next begins (durability="sync").

A node does nothing: what is measured is LangGraph and its checkpointer. Its own defaults otherwise.
"""

import operator
import os
import sqlite3
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, TypedDict

from figures import Report, arguments, seconds
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool


class Count(TypedDict):
    n: int


class Gathered(TypedDict):
    done: Annotated[list, operator.add]


@contextmanager
def checkpointer(options):
    """Connections as the documentation of each saver opens them; commits are flushed."""
    if options.database_url:
        kwargs = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        with ConnectionPool(options.database_url, max_size=10, kwargs=kwargs) as pool:
            saver = PostgresSaver(pool)
            saver.setup()
            yield saver
        return
    os.makedirs(options.data_dir, exist_ok=True)
    path = os.path.join(options.data_dir, f"langgraph-{uuid.uuid4()}.db")
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("pragma synchronous=full")
    saver = SqliteSaver(connection)
    saver.setup()  # journal_mode=WAL
    try:
        yield saver
    finally:
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)


def chain(saver, length: int):
    graph = StateGraph(Count)
    before = START
    for number in range(length):
        name = f"s{number}"
        graph.add_node(name, lambda state: {"n": state["n"] + 1})
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile(checkpointer=saver)


def branches(saver, width: int):
    graph = StateGraph(Gathered)
    for number in range(width):
        name = f"b{number}"

        def wait(_state, number=number):
            time.sleep(1)
            return {"done": [number]}

        graph.add_node(name, wait)
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    return graph.compile(checkpointer=saver)


def fan_out(saver, items: int):
    graph = StateGraph(Gathered)
    graph.add_node("item", lambda item: {"done": [item["n"]]})
    graph.add_conditional_edges(START, lambda _state: [Send("item", {"n": n}) for n in range(items)], ["item"])
    graph.add_edge("item", END)
    return graph.compile(checkpointer=saver)


def invoke(graph, state, length: int, **config):
    config = {"configurable": {"thread_id": str(uuid.uuid4())}, "recursion_limit": length + 10, **config}
    return graph.invoke(state, config, durability="sync")


def main() -> None:
    options = arguments("LangGraph")
    report = Report("LangGraph", version("langgraph"), options)
    with checkpointer(options) as saver:
        steps, short = chain(saver, options.steps), chain(saver, 1)
        report.take(
            "effects",
            "ms a step",
            lambda: seconds(lambda: invoke(steps, {"n": 0}, options.steps)) * 1000 / options.steps,
        )

        def runs() -> float:
            with ThreadPoolExecutor(16) as pool:
                taken = seconds(lambda: list(pool.map(lambda _: invoke(short, {"n": 0}, 1), range(options.runs))))
            return options.runs / taken

        report.take("runs", "runs a second", runs)
        wide = branches(saver, 10)
        report.take("branches", "s", lambda: seconds(lambda: invoke(wide, {"done": []}, 10, max_concurrency=10)))
        mapped = fan_out(saver, options.items)
        report.take(
            "map",
            "items a second",
            lambda: options.items / seconds(lambda: invoke(mapped, {"done": []}, 10, max_concurrency=50)),
        )
    report.print()


if __name__ == "__main__":
    sys.exit(main())
