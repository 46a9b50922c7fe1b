"""Modules of runtime/ that the constructs read too: limits, defaults and forms, stated once, where they are obeyed."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from types import ModuleType

from connect_bridges.shared.places import data_folder


@cache
def runtime_module(name: str) -> ModuleType:
    """Return a module of runtime/ by its name below it, such as ``biometrics.limits``.

    In the wheel runtime/ is data and cannot be imported, so the file itself is loaded; it may import the standard
    library only. Type checkers get the names from an import under ``TYPE_CHECKING``.
    """
    path = data_folder("runtime").joinpath(*name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"_connect_bridges_runtime.{name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError(f"there is no {path}; install connect-bridges again (in a checkout: make setup)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
