"""Functions of Python as steps of a query, which run in processes of their own."""
