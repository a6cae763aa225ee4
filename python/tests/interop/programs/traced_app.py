"""The application of Cardoon, in a program that uses OpenTelemetry."""

import opentelemetry.trace  # noqa: F401 - that it is imported makes the difference.

from interop.programs.our_app import app

__all__ = ["app"]
