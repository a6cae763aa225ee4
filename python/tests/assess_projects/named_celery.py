from clean import app as celery  # noqa: F401
