"""What the processes of the interop tests run, in Celery's interpreters and in ours."""
