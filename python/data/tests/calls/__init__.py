"""Calls that run on the task queue, in processes of their own."""
