"""What tests of programs that use Cardoon need. ``cardoon.pytest_plugin`` has it as fixtures."""

from cardoon.testing.worker import Worker, start_worker

__all__ = ["Worker", "start_worker"]
