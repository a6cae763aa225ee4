"""What the tests of the worker stand on: projects, workers as users start them, and Redis servers."""
