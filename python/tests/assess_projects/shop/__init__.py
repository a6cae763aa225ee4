"""A project of the usual shape: a package with a module `celery` and modules of tasks."""
