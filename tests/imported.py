"""Imports everything that takes long, in the process from which `tests.running` forks others."""

from importlib import import_module
from pkgutil import walk_packages

import streamlit.web.cli  # noqa: F401

import app
import tests.store.writer  # noqa: F401
from app.settings import load_secrets

for module in walk_packages(app.__path__, "app."):
    if "migrations" not in module.name and not module.name.endswith("__main__"):
        import_module(module.name)
load_secrets.cache_clear()  # of this working directory; each process reads its own
