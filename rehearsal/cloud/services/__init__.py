"""The services of the local cloud, found by looking: a new module here that defines a `Service` is a new service."""

from __future__ import annotations

import importlib
import pkgutil

from rehearsal.cloud.service import Service


def discover() -> list[type[Service]]:
    """Return every service defined in this package's modules and packages, ordered by module name."""
    found: list[type[Service]] = []
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{entry.name}")
        found += [
            member
            for member in vars(module).values()
            if isinstance(member, type)
            and issubclass(member, Service)
            and member is not Service
            and (member.__module__ == module.__name__ or member.__module__.startswith(f"{module.__name__}."))
        ]
    return found
