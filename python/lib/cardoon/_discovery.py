"""Imports the modules in which tasks are defined."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable

Packages = Iterable[str] | Callable[[], Iterable[str]] | None


def import_related(packages: Packages, related_name: str | None) -> None:
    """Imports ``package.related_name`` of each package, as Celery does: a package without such a module is passed over, a
    package that does not exist is an error, and what the import raises is passed on."""
    if packages is None:
        packages = _django_apps
    for package in packages() if callable(packages) else packages:
        _import(package, related_name)


def _import(package: str, related_name: str | None) -> None:
    try:
        importlib.import_module(package)
    except ModuleNotFoundError:
        # Django names an application by its class too: shop.apps.ShopConfig.
        package, _, _ = package.rpartition(".")
        if not package:
            raise
    if not related_name:
        return
    module = f"{package}.{related_name}"
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise


def _django_apps() -> list[str]:
    import django  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from django.apps import apps  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if not apps.ready:
        django.setup()
    return [config.name for config in apps.get_app_configs()]
