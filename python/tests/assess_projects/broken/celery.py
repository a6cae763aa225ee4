from celery import Celery

import a_module_that_is_not_installed

app = Celery("broken", broker="redis://localhost:6379/0")
app.conf.x = a_module_that_is_not_installed.x
