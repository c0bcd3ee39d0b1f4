"""The door of the register."""

from wanjia.register.api.loading import LoadResult, load
from wanjia.register.api.reading import as_of, digest, person_facts, rebuild
from wanjia.register.api.resolving import Resolution, resolve

__all__ = ["LoadResult", "Resolution", "as_of", "digest", "load", "person_facts", "rebuild", "resolve"]
