"""Cardoon and real Celery, in four versions, with workers and senders of both on one Redis."""
