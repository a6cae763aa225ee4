//! What the help says, English and Chinese.

pub(super) const TEXTS: &[(&str, &str)] = &[
    ("SQL and frames over files", "用 SQL 或 DataFrame 查询文件"),
    ("Print help", "显示帮助"),
    ("Print help (see more with '--help')", "显示帮助"),
    ("Print version", "显示版本"),
    ("Print this message or the help of the given subcommand(s)", "显示帮助，或者某个命令的帮助"),
    // The commands.
    ("Run a query over files: select … from 'logs/*.csv'", "查询文件：select … from 'logs/*.csv'"),
    (
        "Carry out queries that are sent as tasks: cardoon.data.sql",
        "执行当作任务发来的查询：cardoon.data.sql",
    ),
    ("Start a scheduler and executors on this machine", "在本机启动一个调度器和若干个执行器"),
    ("Start the scheduler of a cluster of several machines", "启动多机集群的调度器"),
    ("Work for a scheduler, on this machine", "在本机启动一个执行器，执行调度器分派的工作"),
    ("Show what the engine does, on data made for it", "演示查询引擎，数据现场生成"),
    (
        "Count what each user did, over a folder of logs: on one thread, on all, and on a cluster of processes",
        "统计一个文件夹的日志里每个用户做了什么：先用一个线程，再用全部线程，最后用多个进程组成的集群",
    ),
    // Of a query.
    ("The query; - reads it from standard input", "要执行的查询；写 - 表示从标准输入读取"),
    ("How rows are written to standard output", "结果以什么格式写到标准输出"),
    ("For people; the first 1000 rows", "给人看的表格，只显示前 1000 行"),
    ("One array of objects", "一个对象数组"),
    ("One object a line", "每行一个对象"),
    (
        "Write the rows to this file or s3:// URL instead: .csv, .json, .jsonl or .parquet",
        "把结果写到这个文件或 s3:// URL，不写到标准输出：.csv、.json、.jsonl 或 .parquet",
    ),
    ("Show how the query would be carried out, and do not", "只显示执行计划，不执行查询"),
    (
        "CSV: what a column holds, instead of what its samples suggest: --type zip=text",
        "CSV：指定某一列的类型，不靠取样推断：--type zip=text",
    ),
    (
        "CSV: what stands between two fields [default: a comma, a tab in .tsv]",
        "CSV：字段之间的分隔符 [默认：逗号；.tsv 用制表符]",
    ),
    (
        "CSV: the first row is data, and columns are called 0, 1 and so on",
        "CSV：第一行就是数据，没有列名；各列依次叫 0、1……",
    ),
    ("CSV: what becomes of rows that cannot be read", "CSV：遇到读不了的行怎么办"),
    ("The query fails and names the row", "查询失败，并指出是哪一行"),
    ("They are left out and counted", "跳过，并统计行数"),
    // What a query may use.
    (
        "Memory that the process may use, 256MiB or more [default: seven tenths of the machine's]",
        "进程最多使用的内存，至少 256MiB [默认：机器内存的七成]",
    ),
    ("Threads [default: one for each processor]", "线程数 [默认：每个处理器一个]"),
    (
        "Folder for data that does not fit into the memory [default: the system's for temporary files]",
        "内存放不下的数据溢出到这个文件夹 [默认：系统临时文件夹]",
    ),
    (
        "Read and write only below this folder or this s3:// URL; may be given several times",
        "只读写这个文件夹或这个 s3:// URL 以下的文件；可以重复给出",
    ),
    (
        "Have the executors of this cluster carry it out, instead of this process",
        "交给这个集群的执行器执行，不在本进程里执行",
    ),
    (
        "The cluster's token, without which it listens on loopback only",
        "集群的令牌；没有令牌时，集群只监听本机回环地址",
    ),
    // Of a worker.
    // The default that the English text repeats is named behind the text.
    ("Queues to take from: data,reports", "从这些队列取任务：data,reports"),
    ("Queries to carry out at once", "同时执行的查询数"),
    ("Where tasks come from [default: as the settings say]", "任务从哪里来 [默认：按设置]"),
    (
        "Memory that each query may use, 256MiB or more [default: 1GiB]",
        "每条查询最多使用的内存，至少 256MiB [默认：1GiB]",
    ),
    ("Threads of each query [default: one for each processor]", "每条查询的线程数 [默认：每个处理器一个]"),
    (
        "Folder or s3:// URL that queries may read from and write to; may be given several times [default: the current folder]",
        "查询可以读写的文件夹或 s3:// URL；可以重复给出 [默认：当前文件夹]",
    ),
    // Of a cluster, its scheduler and its executors.
    ("Executors to start", "启动多少个执行器"),
    ("Threads of each executor", "每个执行器的线程数"),
    (
        "Memory that each executor may use, 256MiB or more [default: its share of seven tenths of the machine's]",
        "每个执行器最多使用的内存，至少 256MiB [默认：各执行器平分机器内存的七成]",
    ),
    ("Where the scheduler listens; port 0 means a free one", "调度器监听的地址；端口 0 表示任选一个空闲的"),
    (
        "Folder for what executors produce and for data that does not fit into the memory [default: the system's for temporary files]",
        "执行器产生的文件，以及内存放不下而溢出的数据，都放在这个文件夹 [默认：系统临时文件夹]",
    ),
    ("Where to listen; port 0 means a free one", "监听的地址；端口 0 表示任选一个空闲的"),
    ("The scheduler to work for: HOST:PORT", "为哪个调度器工作：HOST:PORT"),
    (
        "Where others fetch what it has produced; port 0 means a free one",
        "监听的地址，别人从这里取走它产生的数据；端口 0 表示任选一个空闲的",
    ),
    (
        "The host under which others reach it [default: as the scheduler sees it]",
        "别人连接它时用的主机名 [默认：调度器看到的来源地址]",
    ),
    ("Threads that work [default: one for each processor]", "工作线程数 [默认：每个处理器一个]"),
    (
        "Folder for what it produces and for data that does not fit into the memory [default: the system's for temporary files]",
        "它产生的文件，以及内存放不下而溢出的数据，都放在这个文件夹 [默认：系统临时文件夹]",
    ),
    (
        "Carry out functions of Python with this interpreter, which has the package cardoon-data; needs a token",
        "用这个 Python 解释器执行函数，其中要装有 cardoon-data；必须设置令牌",
    ),
    // Of the demonstration.
    ("Gigabytes of logs", "日志有多少 GB"),
    (
        "Keep the logs in this folder; logs of the same size that are there already are used again",
        "把日志留在这个文件夹里；里面已有同样大小的日志时，直接使用",
    ),
    ("Executors of the cluster", "集群的执行器数"),
];
