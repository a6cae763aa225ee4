"""Prints while it is imported."""

import os

from clean import app  # noqa: F401

print("hello from the project")
os.system("echo hello from a child")
