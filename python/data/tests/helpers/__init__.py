"""What the tests of several files use. What the tests of the tasks have, such as a Redis server, is here too."""

from pathlib import Path

# Both folders are called so; a module of this one comes first.
__path__.append(str(Path(__file__).parents[3] / "tests" / "helpers"))
