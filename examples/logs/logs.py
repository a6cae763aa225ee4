"""How often each user did something, over a folder of logs that may be larger than the memory."""

import cardoon.dataframe as dd
from cardoon.distributed import Client, LocalCluster

if __name__ == "__main__":
    cluster = LocalCluster(n_workers=4, threads_per_worker=2)
    client = Client(cluster)
    print(client.scheduler_info()["address"])

    logs = dd.read_csv("logs/*.csv", blocksize="100MB")
    actions = logs.groupby("user_id").size()
    print(actions.nlargest(5).compute())
