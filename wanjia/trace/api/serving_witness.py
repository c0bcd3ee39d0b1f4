"""A witness process for other logs (see adapters/witness.py): needs no database and nothing of an installation."""

from wanjia.trace.adapters.witness import Witness, server_of

__all__ = ["Witness", "server_of"]
