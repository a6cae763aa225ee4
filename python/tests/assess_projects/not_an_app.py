app = "a string"
