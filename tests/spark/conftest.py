"""A real cluster on loopback: a standalone master, two workers, and a session of this process."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def started(stack: ExitStack, home: Path, folder: Path, name: str, arguments: list[str]) -> Path:
    """Start a daemon of Spark that ends with the stack; its log."""
    log = folder / f"{name}.log"
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(home / "bin" / "spark-class"), *arguments], stdout=file, stderr=file, env=environment, cwd=folder
        )

    def stop():
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)
    return log


def wait_for(log: Path, words: str, seconds: float = 60) -> None:
    for _ in range(int(seconds * 5)):
        if words in log.read_text(errors="replace"):
            return
        time.sleep(0.2)
    raise AssertionError(f"{words!r} not in {log}:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A session with two executors in two workers of a standalone master."""
    pyspark = pytest.importorskip("pyspark")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java")
    from csat.spark import session

    home, folder, port = Path(pyspark.__file__).parent, tmp_path_factory.mktemp("spark"), free_port()
    address = f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        before = os.environ.get("PYSPARK_PYTHON")
        os.environ["PYSPARK_PYTHON"] = sys.executable
        stack.callback(os.environ.pop if before is None else lambda *_: os.environ.update(PYSPARK_PYTHON=before),
                       "PYSPARK_PYTHON")  # fmt: skip
        master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port)]
        log = started(stack, home, folder, "master", [*master, "--webui-port", "0"])
        wait_for(log, "I have been elected leader")
        worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "-c", "1"]
        for name in ("one", "two"):
            started(stack, home, folder, name, [*worker, "-m", "800m", "-d", str(folder / name), address])
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "600m",
            "spark.executor.cores": "1",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.session.timeZone": "UTC",
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
        made = session(address, settings)
        stack.callback(made.stop)
        made.sparkContext.setLogLevel("ERROR")
        for _ in range(100):
            if made.sparkContext._jsc.sc().getExecutorMemoryStatus().size() == 3:
                break
            time.sleep(0.2)
        yield made
