def shelve():
    raise RuntimeError("no shelf at redis://user:hunter2@localhost:6379/0")


shelve()
