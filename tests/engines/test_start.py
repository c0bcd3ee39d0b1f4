"""Spark that cannot start says so in a sentence."""

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
