"""What will differ if the tasks of a Celery application run on Cardoon.

``python -m cardoon.assess -A proj`` imports the application as Celery does, reads its settings and tasks into an
`AppView`, asks each rule about the view, and prints what the rules found.

    load (the application) -> read (AppView) -> rules (Finding) -> render (text of one language)

Only `load` and `read` know Celery. Nothing here connects to a broker or imports compiled code.
"""
