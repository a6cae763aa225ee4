"""DataFusion: a query that names its files itself, with its defaults."""

import sys

import datafusion

import answer


def run(query):
    return datafusion.SessionContext().enable_url_table().sql(query).to_arrow_table()


if __name__ == "__main__":
    _, query = sys.argv
    answer.give(lambda: run(query), answer.columns_of_table)
