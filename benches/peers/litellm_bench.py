#!/usr/bin/env python3
"""What LiteLLM's proxy adds to a call, measured by the client and before the model server of `weft bench gateway`; and what Weft adds at
the same rate, right after it. Prints both reports as JSON, and a table on the standard error.

    VENV/bin/python benches/peers/litellm_bench.py [--binary target/release/weft] [--rate 50] [--seconds 5] [--rounds 3]

VENV is a virtual environment with benches/peers/gateway.txt. The proxy has no database and no callbacks: its quickest form. It is
started on a free port of 127.0.0.1 and ended by its id.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEY = "sk-bench"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def proxy(folder: str, upstream: int):
    """A running proxy; gives its process and port."""
    config = pathlib.Path(folder, "config.yaml")
    model = {"model": "openai/mock", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    settings = {
        "model_list": [{"model_name": "mock", "litellm_params": model}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False},
    }
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    port = free_port()
    command = [str(pathlib.Path(sys.executable).parent / "litellm"), "--config", str(config)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=1) as answer:
                    if answer.status == 200:
                        break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the proxy did not start")
            time.sleep(0.2)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def resident_mib(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


def bench(options: argparse.Namespace, more: list[str], environment: dict[str, str]) -> dict:
    """One report of `weft bench gateway`."""
    command = [options.binary, "bench", "gateway", "--json", "--rate", str(options.rate)]
    command += ["--seconds", str(options.seconds), "--rounds", str(options.rounds), *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **environment})
    return json.loads(done.stdout)


def compare(weft: dict, peer: dict) -> None:
    """A line for each figure that both have: the medians of the rounds."""
    of_peer = {figure["name"]: figure for figure in peer["figures"]}
    print(f"{'':45} {'Weft':>10} {'LiteLLM':>10}", file=sys.stderr)
    for figure in weft["figures"]:
        other = of_peer.get(figure["name"])
        if other is not None:
            name = f"{figure['title']}, {figure['unit']}"
            print(f"{name:45} {figure['median']:10.2f} {other['median']:10.2f}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description="LiteLLM's proxy under the load of weft bench gateway.")
    parser.add_argument("--binary", default=str(ROOT / "target/release/weft"))
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    upstream = free_port()
    with tempfile.TemporaryDirectory() as folder, proxy(folder, upstream) as (process, port):
        through = ["--upstream-port", str(upstream), "--through", f"http://127.0.0.1:{port}/v1/chat/completions"]
        peer = {**bench(options, through, {"WEFT_BENCH_KEY": KEY}), "engine": "LiteLLM"}
        peer["resident_mib"] = round(resident_mib(process.pid))
    # Once the proxy has ended: neither is measured beside the other.
    with tempfile.TemporaryDirectory() as folder:
        weft = bench(options, [], {"WEFT_DATA_DIR": folder})
    compare(weft, peer)
    print(json.dumps([weft, peer], indent=2))


if __name__ == "__main__":
    main()
