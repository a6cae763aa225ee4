from clean import app as factory  # noqa: F401
