//! The Chinese of what errors say.

use super::Phrase;
use crate::Code;

/// Code, or `all`: English => Chinese.
macro_rules! phrases {
    ($($code:ident { $($english:literal => $translated:literal;)* })*) => {
        pub(super) const PHRASES: &[Phrase] = &[$($(
            Phrase { code: phrases!(@code $code), english: $english, translated: $translated },
        )*)*];
    };
    (@code all) => { None };
    (@code $code:ident) => { Some(Code::$code) };
}

phrases! {
    all {
        // What was done when it went wrong.
        "cannot {} in {}" => "无法{0~}：{1}";
        "cannot {}: {}" => "无法{0~}：{1}";
        "open the database" => "打开数据库";
        "lay out the database" => "初始化数据库";
        "limit the size" => "限制文件大小";
        "read the header" => "读取文件头";
        "open the folder" => "打开目录";
        "open the socket" => "打开套接字";
        "open" => "打开";
        "read" => "读取";
        "write" => "写入";
        "lock" => "锁定";
        "look at the file and its folder: ls -l {}*" => "看看文件和它所在的目录：ls -l {0}*";
        "look at the rights of the file and its folder: ls -l {}*" => "看看文件和目录的权限：ls -l {0}*";
        "choose another file for Cardoon" => "给 Cardoon 换一个文件";
        "store: {}" => "存储：{0}";
        // What other programs and libraries say.
        "Permission denied (os error {})" => "权限不够（os error {0}）";
        "permission denied" => "权限不够";
        "No such file or directory (os error {})" => "没有这个文件或目录（os error {0}）";
        "Not a directory (os error {})" => "这不是目录（os error {0}）";
        "Is a directory (os error {})" => "这是一个目录（os error {0}）";
        "File exists (os error {})" => "文件已经存在（os error {0}）";
        "Read-only file system (os error {})" => "文件系统是只读的（os error {0}）";
        "No space left on device (os error {})" => "磁盘已满（os error {0}）";
        "Too many open files (os error {})" => "打开的文件太多（os error {0}）";
        "unable to open database file: {}" => "SQLite 无法打开数据库文件：{0}";
        "unable to open database file" => "SQLite 无法打开数据库文件";
        "writing there: {}" => "写入那里：{0~}";
        "Connection refused (os error {})" => "连接被拒绝（os error {0}）";
        "attempt to write a readonly database" => "数据库是只读的";
        "file is not a database" => "文件不是 SQLite 数据库";
        "database or disk is full" => "数据库或磁盘已满";
        "database is locked" => "数据库被锁住了";
        "database disk image is malformed" => "数据库文件的内容已损坏";
    }

    Unreachable {
        "the connection to {} failed" => "与 {0} 的连接失败";
        "{} cannot be reached" => "连不上 {0}";
        "look whether the server runs: redis-cli -u <URL> ping" => "看看服务器是否在运行：redis-cli -u <URL> ping";
        "no sentinel of {} knows its primary" => "{0} 的哨兵都不知道主节点在哪里";
        "ask a sentinel: redis-cli -p 26379 sentinel masters" => "问问哨兵：redis-cli -p 26379 sentinel masters";
        "{}: {}" => "{0}：{1~}";
    }
    UnknownScheme {
        "no store answers to `{}:` URLs" => "没有哪种存储认识 `{0}:` 开头的 URL";
        "URL: {}" => "URL：{0}";
        "use sqlite:PATH, redis://HOST, or memory: for a store that lives in this process" =>
            "写成 sqlite:路径 或 redis://主机；只在一个进程里试用，也可以写 memory:";
    }
    FeatureMissing {
        "this build has no adapter for `{}:` URLs" => "当前版本没有 `{0}:` 的适配器";
        "cargo feature `{}`: absent" => "cargo feature `{0}`：没有打开";
        "use a build of Cardoon that has the cargo feature `{}`" => "换用打开了 cargo feature `{0}` 的 Cardoon";
        "system: {}; the SQLite store needs Unix" => "系统：{0}；SQLite 存储只能用在 Unix 系统上";
        "name a server, such as redis://HOST; on Windows, WSL runs everything" =>
            "换用服务器，例如 redis://主机；在 Windows 上，WSL 里什么都能用";
    }
    BadUrl {
        "cannot read the URL `{}`: {}" => "看不懂 URL `{0}`：{1~}";
        "a store in memory has no name" => "内存里的存储没有名字";
        "it names no file" => "没有写文件名";
        "the path cannot be made absolute" => "无法得到绝对路径";
        "a SQLite URL has no host" => "SQLite 的 URL 里不能有主机名";
        "options after `?` are not known here" => "不支持 `?` 后面的参数";
        "it has no scheme" => "没有写明是哪种存储";
        "cannot read the Redis URL: {}" => "看不懂 Redis 的 URL：{0~}";
        "it has no `://`" => "缺少 `://`";
        "it names no socket" => "没有写套接字的路径";
        "it does not name the primary" => "没有写主节点的名字";
        "the option `{}` is not known" => "不认识选项 `{0}`";
        "certificates are always checked, so `ssl_cert_reqs` must be `required`" =>
            "证书总是要检查的，所以 `ssl_cert_reqs` 只能是 `required`";
        "what stands for `%` is not UTF-8" => "`%` 转义的内容不是 UTF-8";
        "write redis+socket:///path/to/redis.sock" => "写成 redis+socket:///路径/redis.sock";
        "write redis+sentinel://host:26379,host2:26379/NAME/0" => "写成 redis+sentinel://主机:26379,主机2:26379/名字/0";
        "name the server's authority: ?ssl_ca_certs=/path/to/ca.pem" => "指明服务器的 CA：?ssl_ca_certs=/路径/ca.pem";
        "cannot read the certificates in {}" => "无法读取 {0} 里的证书";
        "write memory:" => "写成 memory:";
        "write sqlite:PATH, or memory:" => "写成 sqlite:路径，或者 memory:";
        "write sqlite:PATH, sqlite:///relative.db or sqlite:////absolute/path.db" =>
            "写成 sqlite:路径、sqlite:///相对路径.db 或 sqlite:////绝对/路径.db";
        "write sqlite:{}" => "写成 sqlite:{0}";
        "for a SQLite file, write sqlite:{}" => "如果是 SQLite 文件，写成 sqlite:{0}";
    }
    NoAnswer {
        "{} did not answer in time" => "{0} 没有及时响应";
        "{} is still busy" => "{0} 还在忙";
    }
    StoreClosed {
        "{} was closed" => "{0} 已经关闭";
        "the database was closed" => "数据库已经关闭";
        "the consumer was closed" => "消费者已经关闭";
    }
    Unsupported {
        "the broker cannot store a verdict and its result in one step" => "这种 broker 无法在同一步里保存裁决和结果";
        "task {} has a priority, and the broker has none" => "任务 {0} 设置了优先级，而这种 broker 没有优先级";
        "broker: {}" => "broker：{0}";
        "nobody but Cardoon takes from these queues, so nothing can be handed back" =>
            "这些队列只有 Cardoon 在用，没有可以交还的对象";
        "to move its tasks to Redis: cardoon migrate --help" => "要把任务搬到 Redis：cardoon migrate --help";
        "a store in memory ends with its process: nobody else would see what `{}` holds" =>
            "内存里的存储只属于一个进程，进程结束就没了：别的进程看不到 `{0}` 里的内容";
        "leave the URL out, or write sqlite:PATH or redis://HOST" => "不写 URL，或者写成 sqlite:路径、redis://主机";
    }
    NoDatabase {
        "there is no database {} yet" => "还没有数据库 {0}";
        "nothing was made" => "没有创建任何东西";
        "the first worker or task makes it, such as cardoon worker --builtin; another one may be meant: cardoon settings show --origin" =>
            "由第一个 worker 或任务创建，例如 cardoon worker --builtin；也可能用错了数据库：cardoon settings show --origin";
    }

    CannotOpenFile {
        "cannot find out the current folder" => "无法确定当前目录";
        "name the database: --broker sqlite:/path/to/cardoon.db" => "指明数据库：--broker sqlite:/路径/cardoon.db";
        "cannot make the folder {}" => "无法创建目录 {0}";
        "name a database: cardoon bench --broker sqlite:bench.db" =>
            "指明数据库：cardoon bench --broker sqlite:bench.db";
    }
    NotOurDatabase {
        "{} belongs to another program" => "{0} 属于别的程序";
        "application id: {}, ours is {}" => "应用编号：{0}，Cardoon 的是 {1}";
        "tables: {}" => "已有 {0} 个表";
    }
    NewerLayout {
        "{} has layout {}, this program knows {}" => "{0} 的结构版本是 {1}，当前程序只认识到 {2}";
        "use the newer Cardoon that wrote the file, or another file" => "换用写这个文件的新版 Cardoon，或者换一个文件";
    }
    NetworkFilesystem {
        "{} is on a network file system" => "{0} 位于网络文件系统上";
        "type of the file system: {}" => "文件系统类型：{0}";
        "use a local disk; to use several machines, choose a broker that is a server" =>
            "换到本地磁盘；需要多台机器时，请选用服务器类型的 broker";
    }
    SqliteTooOld {
        "SQLite {} can damage shared files" => "SQLite {0} 可能损坏多进程共用的文件";
        "build with SQLite 3.51.3 or newer" => "用 SQLite 3.51.3 或更新的版本编译";
    }
    UsedAfterFork {
        "the handle of {} was opened by another process" => "{0} 的句柄是另一个进程打开的";
        "opened by process {}" => "打开它的进程：{0}";
        "used by process {}" => "使用它的进程：{0}";
        "open the database after the fork, in each process" => "fork 之后，在每个进程里各自打开数据库";
    }
    DiskFull {
        "free disk space; the operation can be repeated then" => "腾出磁盘空间，然后可以再试一次";
    }
    ReadOnly {
        "{} cannot be written" => "{0} 不可写";
    }
    FileGone {
        "{} or its write-ahead log was removed or replaced while it was open" =>
            "{0} 或它的预写日志在使用中被删除或替换了";
        "restore the file, then restart every process that uses it" => "把文件放回去，再重启所有使用它的进程";
        "{} was removed while it was in use" => "{0} 在使用中被删除了";
        "leave the folder beside the database alone; restart the worker" => "不要动数据库旁边的目录；请重启 worker";
    }
    DatabaseBusy {
        "find who holds the lock: fuser {}" => "看看是谁占着锁：fuser {0}";
        "another process is opening the database and does not end" => "另一个进程正在打开数据库，一直没有完成";
        "{} is locked" => "{0} 被锁住了";
        "find it: fuser {}" => "看看是哪个进程：fuser {0}";
    }
    Corrupt {
        "check it: sqlite3 {} 'pragma integrity_check', then restore" =>
            "先检查，再从备份恢复：sqlite3 {0} 'pragma integrity_check'";
    }

    RedisTooOld {
        "{} is Redis {}.{}, 6.2 is needed" => "{0} 是 Redis {1}.{2}，至少需要 6.2";
    }
    RedisFull {
        "{}: {}" => "{0}：{1~}";
        "free memory or disk space on the server, or raise its limit" => "在服务器上腾出内存或磁盘空间，或者调高上限";
    }
    RedisWrongType {
        "{}: {}" => "{0}：{1~}";
        "the key `{}` in {} is no list" => "{1} 里的键 `{0}` 不是列表";
        "look at the key with `TYPE`; Cardoon changes nothing in it" => "用 `TYPE` 看看这个键；Cardoon 不会改动它";
        "worker {} left something that belongs to none of its queues" => "worker {0} 留下了不属于它任何一个队列的内容";
        "key: {}" => "键：{0}";
    }
    RedisReadOnly {
        "{}: {}" => "{0}：{1~}";
        "{} is a replica" => "{0} 是副本";
        "its primary: {}:{}" => "它的主节点：{0}:{1}";
        "connect to the primary; with Sentinel, name it in the URL" => "改连主节点；用了哨兵就在 URL 里写明";
    }
    RedisDenied {
        "{}: {}" => "{0}：{1~}";
        "look at the user, the password and the rules of `ACL LIST`" => "检查用户名、密码，以及 `ACL LIST` 里的规则";
    }
    RedisNewerLayout {
        "the keys in {} have layout {}, this is {}" => "{0} 里的键的结构版本是 {1}，当前程序是 {2}";
        "use a newer Cardoon, or another database" => "换用更新的 Cardoon，或者换一个数据库";
    }
    RedisCluster {
        "{} is part of a Redis Cluster" => "{0} 属于一个 Redis 集群";
    }
    RedisCertificate {
        "{}: {}" => "{0}：{1~}";
        "name the server's authority: ?ssl_ca_certs=/path/to/ca.pem" => "指定签发证书的 CA：?ssl_ca_certs=/path/to/ca.pem";
    }

    TooLarge {
        "the message for {} has {} bytes, the limit is {}" => "发给 {0} 的消息有 {1} 字节，上限是 {2}";
        "store the data elsewhere and send its address, or raise limits.message_size here and at the workers" =>
            "把数据存到别处，只发送它的位置；或者在发送方和 worker 两边调高 limits.message_size";
        "message {} has {} bytes" => "消息 {0} 有 {1} 字节";
        "the database takes {} bytes" => "数据库最多接受 {0} 字节";
        "the broker takes {} bytes" => "这个 broker 最多接受 {0} 字节";
        "store the data elsewhere, and send where it is" => "把数据存到别处，只发送它的位置";
    }
    BadName {
        "`{}` cannot be a {}: {}" => "`{0}` 不能作为{1~}：{2~}";
        "task id" => "任务 id";
        "queue name" => "队列名";
        "it is empty" => "它是空的";
        "it has {} bytes, more than {}" => "它有 {0} 字节，超过了 {1}";
        "it holds a control character" => "其中有控制字符";
    }
    NotSerializable {
        "the arguments of {} cannot be written as JSON" => "{0} 的参数无法写成 JSON";
        "positional arguments are a JSON array, named arguments a JSON object" =>
            "位置参数要写成 JSON 数组，命名参数要写成 JSON 对象";
        "the arguments of {} are nested {} deep, at most {} are read" => "{0} 的参数嵌套了 {1} 层，最多 {2} 层";
        "an argument of {} cannot be written as JSON" => "{0} 有一个参数无法写成 JSON";
        "pass maps with text keys, and numbers that are finite" => "映射的键要用文本，数值必须是有限数";
    }

    TaskFailed {
        "{} failed: {}" => "{0} 失败：{1}";
        "attempts: {}" => "尝试次数：{0}";
        "worker: {}" => "worker：{0}";
        "the message of {} is in the dead letters: {}" => "{0} 的消息在死信里：{1}";
        "reason: {}" => "原因：{0}";
        "see what is known of it: cardoon task get {}; send it again: cardoon task retry {}" =>
            "查看详情：cardoon task get {0}；重新发送：cardoon task retry {1}";
    }
    TaskRevoked {
        "{} ({}) was revoked" => "{0}（{1}）已被撤销";
        "{} ({}) expired before a worker could start it" => "{0}（{1}）还没有开始执行就过期了";
    }
    WaitTimedOut {
        "task {} has not ended within {}" => "任务 {0} 在 {1} 内没有结束";
    }
    UnknownId {
        "no task has the id {}" => "没有 id 为 {0} 的任务";
        "no message, no record, no dead letter" => "没有消息，没有记录，也没有死信";
        "no dead letter has the id {}" => "没有 id 为 {0} 的死信";
        "the dead letter of {} was taken meanwhile" => "{0} 的死信刚刚被别人取走了";
    }
    NoSuchTask {
        "no task is named {}" => "没有名为 {0} 的任务";
        "periodic task `{}`: {}" => "定时任务 `{0}`：{1~}";
    }
    StateMissing {
        "task {} needs the state {}" => "任务 {0} 需要状态 {1}";
        "give it to the worker's builder with .state(…)" => "在 worker 的 builder 上用 .state(…) 给出";
    }
    LeaseLost {
        "others took this worker for dead; it joins again" => "别人认为这个 worker 已经死掉；它会重新加入";
        "this worker's session is over: others took it for dead, or it was closed" =>
            "这个 worker 的会话已经结束：别人认为它已经死掉，或者它被关闭了";
    }
    DuplicateTask {
        "two tasks are named {}" => "有两个任务都叫 {0}";
        "give one of them another name" => "给其中一个另起名字";
    }
    NoTasks {
        "`cardoon worker` knows none of your tasks: they live in your own program" =>
            "`cardoon worker` 不认识你的任务：它们在你自己的程序里";
        "neither --app nor --builtin was given" => "既没有加 --app，也没有加 --builtin";
        "Python: cardoon worker -A tasks; Rust: start your own binary; to try it out: cardoon worker --builtin" =>
            "Python：cardoon worker -A tasks；Rust：启动你自己的程序；只想试试：cardoon worker --builtin";
        "the worker has no tasks" => "这个 worker 没有任务";
    }
    NoIsolation {
        "task {} asks for a process of its own" => "任务 {0} 要求在独立进程里执行";
        "run it on Linux or macOS, or without isolation" => "在 Linux 或 macOS 上运行，或者去掉隔离";
    }
    MessageNotKept {
        "the message of {} is not kept, so it cannot be sent again" => "{0} 的消息没有保留，所以无法重新发送";
        "state: {}" => "状态：{0}";
        "the messages of tasks that succeed are not kept" => "执行成功的任务不保留消息";
        "the messages of tasks that are revoked or expire are not kept" => "被撤销或过期的任务不保留消息";
        "its message is not in the dead letters any more" => "它的消息已经不在死信里";
        "send the task anew: cardoon send {}" => "重新发送一个新任务：cardoon send {0}";
    }
    WorkersAlive {
        "{} worker(s) of Cardoon are alive, so nothing was handed back" =>
            "还有 {0} 个 Cardoon 的 worker 在运行，所以什么都没有交还";
        "worker {} (process {}, holds {})" => "worker {0}（进程 {1}，手上有 {2} 条）";
        "worker {} is alive after all" => "worker {0} 其实还在运行";
        "end them, then: cardoon handback --wait 30s" => "先停掉它们，再运行：cardoon handback --wait 30s";
        "end it, then begin again" => "先停掉它，再重新开始";
    }

    UnknownSetting {
        "there is no setting `{}`" => "没有名为 `{0}` 的设置";
        "flag {}" => "命令行选项 {0}";
        "environment {}" => "环境变量 {0}";
        "file {}" => "文件 {0}";
        "did you mean `{}`? all settings: cardoon settings show" => "是不是想写 `{0}`？全部设置：cardoon settings show";
        "all settings: cardoon settings show" => "全部设置：cardoon settings show";
    }
    BadSetting {
        "periodic task `{}`: {}" => "定时任务 `{0}`：{1~}";
        "two periodic tasks have the name `{}`" => "有两个定时任务都叫 `{0}`";
        "cannot read `{}` for {}: {}" => "{1} 的值 `{0}` 无法识别：{2~}";
        "it is empty" => "它是空的";
        "it is no time" => "这不是时间";
        "it is no length of time" => "这不是时间长度";
        "it goes from 0 to 9, and 9 is the most urgent" => "范围是 0 到 9，9 最紧急";
        "it is not a whole number of ms from 1 ms to 36500 days" => "它不是 1 毫秒到 36500 天之间的整毫秒数";
        "`{}` is not {}" => "`{0}` 不是 {1~}";
        "a number from 0 to 59" => "0 到 59 的数";
        "a number from 0 to 23" => "0 到 23 的数";
        "a number from 1 to 31" => "1 到 31 的数";
        "a number from 0 to 7 or a name from sun to sat" => "0 到 7 的数，也不是 sun 到 sat 的名称";
        "a number from 1 to 12 or a name from jan to dec" => "1 到 12 的数，也不是 jan 到 dec 的名称";
        "the step `{}` is not a whole number from 1 on" => "步长 `{0}` 不是从 1 起的整数";
        "`{}` has a step without `*` or a range before it" => "`{0}` 的步长前面没有 `*` 或范围";
        "day_of_month `{}` never comes in month_of_year `{}`" => "month_of_year `{1}` 里没有 day_of_month `{0}`";
        "a name of the IANA database, as in \"Europe/Berlin\" or \"UTC\"" => "IANA 时区名，例如 \"Europe/Berlin\" 或 \"UTC\"";
        "cannot read {} for {}" => "{1} 的值 {0~} 无法识别";
        "its value" => "（不显示）";
        "flag {}" => "命令行选项 {0}";
        "environment {}" => "环境变量 {0}";
        "file {}" => "文件 {0}";
        "default" => "默认";
        "accepted: {}" => "可用的写法：{0~}";
        "any text" => "任意文本";
        "a URL such as \"sqlite:tasks.db\"" => "URL，例如 \"sqlite:tasks.db\"";
        "true or false" => "true 或 false";
        "a whole number from 0 on" => "从 0 起的整数";
        "a whole number from 1 on" => "从 1 起的整数";
        "\"250ms\", \"30s\", \"5m\", \"2h\", \"1d\", or several as in \"1h30m\"" =>
            "\"250ms\"、\"30s\"、\"5m\"、\"2h\"、\"1d\"，也可以连写，例如 \"1h30m\"";
        "\"512B\", \"64KiB\", \"16MiB\", \"1GiB\" (or kB, MB, GB in steps of 1000)" =>
            "\"512B\"、\"64KiB\"、\"16MiB\"、\"1GiB\"（也可以用以 1000 为进位的 kB、MB、GB）";
        "a list: [\"mail\", \"low\"] in the file, mail,low elsewhere" =>
            "列表：文件里写 [\"mail\", \"low\"]，其他地方写 mail,low";
        "\"late\" or \"early\"" => "\"late\" 或 \"early\"";
        "correct the value, then run: cardoon settings show --origin" => "改正后运行：cardoon settings show --origin";
        "worker.heartbeat is {}, which is zero or more than a third of worker.lease" =>
            "worker.heartbeat 是 {0}：它不能为零，也不能超过 worker.lease 的三分之一";
        "worker.lease: {}" => "worker.lease：{0}";
        "raise the lease or lower the heartbeat" => "调长租约，或调短心跳间隔";
        "raise worker.lease or lower worker.heartbeat; see: cardoon settings show --origin" =>
            "调大 worker.lease 或调小 worker.heartbeat；查看：cardoon settings show --origin";
    }
    BadSettingsFile {
        "cannot read {}" => "无法读取 {0}";
        "line {}" => "第 {0} 行";
        "{}: a {} has no meaning here" => "{0}：这里不能用 {1} 类型的值";
        "correct the file, then run: cardoon settings show --origin" => "改正文件后运行：cardoon settings show --origin";
    }
    BadInput {
        "there is no command `{}` here" => "这里没有命令 `{0}`";
        "one unit of systemd for each worker, with Type=simple" => "每个 worker 写一个 systemd 单元，用 Type=simple";
        "a worker has at most {} children" => "一个 worker 最多有 {0} 个子进程";
        "asked for: {}" => "要求的数量：{0}";
        "for tasks that wait: -P threads or -P asyncio; for more processors: more workers" =>
            "任务多在等待时用 -P threads 或 -P asyncio；要用更多处理器，就启动更多 worker";
        "no queue is left to take from" => "没有剩下可以取任务的队列";
        "left out: {}" => "排除的队列：{0}";
        "name those to take from: --queues mail,low" => "写出要取的队列：--queues mail,low";
        "this process does not leave the terminal by itself" => "这个程序不会自己转到后台";
        "a unit of systemd with Type=simple, or: nohup cardoon worker -A tasks -f worker.log &" =>
            "用 systemd 单元（Type=simple），或者：nohup cardoon worker -A tasks -f worker.log &";
        "another process holds the pidfile {}" => "pidfile {0} 正被另一个进程占用";
        "its process id: {}" => "它的进程号：{0}";
        "stop it first, or give each process a pidfile of its own" => "先停掉它，或者给每个进程各用一个 pidfile";
        "cannot write {} to {}" => "无法把{0~}写到 {1}";
        "the log" => "日志";
        "the process id" => "进程号";
        "cannot work in the folder {}" => "无法进入目录 {0}";
        "`{}` is no option of a worker" => "`{0}` 不是 worker 的选项";
        "write it with its dashes: --{}={}" => "前面要加两个短横：--{0}={1}";
        "only a pool of processes grows and shrinks" => "只有进程池可以自动伸缩";
        "leave --autoscale out, and give --concurrency what one child may run at once" =>
            "去掉 --autoscale，用 --concurrency 写一个子进程可以同时执行的数量";
        "--autoscale {} cannot be read" => "--autoscale 的值 {0} 无法识别";
        "write the most and the least children: --autoscale 10,3" => "写最多和最少的子进程数：--autoscale 10,3";
        "there is no application whose periodic tasks could be sent" => "没有指定应用，不知道要发送哪些定时任务";
        "--app was not given" => "没有写 --app";
        "{} is no file of a scheduler" => "{0} 不是调度器的文件";
        "name another one: cardoon beat --schedule FILE; it need not exist" => "换一个文件：cardoon beat --schedule 文件；它可以还不存在";
        "{} and {} are one store" => "{0} 和 {1} 是同一个存储";
        "name two stores: cardoon migrate --from sqlite:tasks.db --to redis://127.0.0.1:6379/0" =>
            "写两个不同的存储：cardoon migrate --from sqlite:tasks.db --to redis://127.0.0.1:6379/0";
        "with --kill-worker there must be another worker that goes on" => "用 --kill-worker 时，至少要有另一个 worker 继续工作";
        "{} is not {}" => "{0} 不是{1~}";
        "a JSON list" => " JSON 数组";
        "a JSON object" => " JSON 对象";
        "quote it for the shell: {}" => "加上引号，免得被 shell 拆开：{0}";
        "it is {}" => "它是{0~}";
        "null" => " null";
        "a boolean" => "布尔值";
        "a number" => "数字";
        "a text" => "文本";
        "a list" => "数组";
        "an object" => "对象";
        "EOF while parsing {} at line {} column {}" => "JSON 没有写完（第 {1} 行第 {2} 列）";
        "expected value at line {} column {}" => "这里应该是一个 JSON 值（第 {0} 行第 {1} 列）";
        "trailing characters at line {} column {}" => "JSON 后面有多余的字符（第 {0} 行第 {1} 列）";
        "key must be a string at line {} column {}" => "对象的键必须是带引号的文本（第 {0} 行第 {1} 列）";
        "the task's name is empty" => "任务名是空的";
        "task {} has not ended" => "任务 {0} 还没有结束";
        "--seconds {} is no time" => "--seconds 的值 {0} 不是时间";
        "a time is written as {}" => "时间的写法：{0~}";
        "\"250ms\", \"30s\", \"5m\", \"2h\", \"1d\", or several as in \"1h30m\"" =>
            "\"250ms\"、\"30s\"、\"5m\"、\"2h\"、\"1d\"，也可以连写，例如 \"1h30m\"";
        "the reasons are {}" => "可用的原因：{0}";
        "{}; write it as 2030-01-31T12:00:00Z" => "写成 2030-01-31T12:00:00Z 这样，要带时区";
    }
    NoSuchCode {
        "no error has the code `{}`" => "没有代码为 `{0}` 的错误";
        "all codes: cardoon explain" => "全部代码：cardoon explain";
    }
    NeedsYes {
        "this would {} {} dead letter(s)" => "这会{0~} {1} 条死信";
        "delete" => "删除";
        "send again" => "重新发送";
        "look at them with `cardoon dead list`, then repeat the command with --yes" =>
            "先用 cardoon dead list 看一看，再加上 --yes 执行";
        "this would delete {} waiting message(s) of {}" => "这会删除队列 {1} 里等待的 {0} 条消息";
        "what workers hold would stay" => "worker 手上的任务不受影响";
    }
    OutputFailed {
        "cannot write the output" => "无法写出结果";
    }

    MailsMissing {
        "{} of {} mails are missing" => "{1} 封邮件缺了 {0} 封";
        "the first that got none: {}" => "第一个没有收到的：{0}";
        "mails in the sink: {}, different: {}" => "收到 {0} 封，去重后 {1} 封";
        "run it again with a folder to keep the database and the workers' messages" =>
            "用 --folder 指定目录再运行一次，保留数据库和 worker 的输出";
    }
    DrillFailed {
        "{} holds a database already" => "{0} 里已经有数据库";
        "choose a new folder, so that no earlier tasks are counted" => "换一个新目录，免得把以前的任务算进去";
        "cannot start {}" => "无法启动 {0}";
        "process {} failed: {}" => "进程 {0} 出错：{1}";
        "cannot create the demo's folder" => "无法创建演示用的目录";
    }
    AppImport {
        "importing {} fails: {}" => "导入 {0} 出错：{1}";
        "the traceback stands above" => "traceback 就在上面";
        "Python: {}" => "Python：{0}";
        "there is no module {}" => "没有模块 {0}";
        "folder: {}" => "目录：{0}";
        "file: {}" => "文件：{0}";
        "module: {}" => "模块：{0}";
        "Python files in it: {}" => "其中的 Python 文件：{0}";
        "change to the folder of your project, or write the module with its package: -A project.tasks" =>
            "切换到项目目录，或者连包名一起写：-A project.tasks";
        "the module {} has no application" => "模块 {0} 里没有应用";
        "make one: app = App('tasks'), with `from cardoon import App`; or name it: -A module:name" =>
            "建一个：from cardoon import App，然后 app = App('tasks')；或者写出名字：-A 模块:名字";
        "the application in {} is one of Celery" => "{0} 里的应用是 Celery 的";
        "import App from cardoon in its place; cardoon assess -A {} says what will differ" =>
            "改为从 cardoon 导入 App；用 cardoon assess -A {0} 看看会有哪些不同";
        "the application has other tasks than when this worker started" => "应用里的任务和这个 worker 启动时不一样了";
        "start the worker again" => "重新启动 worker";
    }
    NoChildren {
        "the first word of a zygote was no greeting" => "导入应用的进程没有先打招呼";
        "the application is still being imported" => "应用还没有导入完";
        "{} s have passed" => "已经过了 {0} 秒";
        "import slow things inside of tasks" => "把很慢的导入放到任务里面";
        "the process that imports the application ended" => "导入应用的进程退出了";
        "the process that imports the application ended: {}" => "导入应用的进程退出了：{0}";
        "run its import by hand: python -c 'import tasks'" => "手动导入试试：python -c 'import tasks'";
        "cannot start {}" => "无法启动 {0}";
        "name the interpreter that has the package: cardoon worker --python PATH" =>
            "指定装有这个包的解释器：cardoon worker --python 路径";
        "the package speaks version {} of the children's protocol" => "包使用的子进程协议是版本 {0}";
        "this program speaks version {}" => "这个程序使用的是版本 {0}";
        "pip install the package of the same release" => "用 pip 安装同一版本的包";
        "a child process cannot be made" => "无法创建子进程";
        "the kernel does not let this process adopt children" => "内核不允许这个进程收养子进程";
    }
    NoSuchPool {
        "there is no pool {} here" => "这里没有 {0} 池";
        "there is no pool named {}" => "没有名为 {0} 的池";
        "pools: {}" => "可用的池：{0}";
        "choose one of {}" => "请从中选一个：{0}";
        "tasks that wait for the network: -P threads; `async def` tasks: -P asyncio" =>
            "等网络的任务用 -P threads，`async def` 任务用 -P asyncio";
    }
    NoPythonWorker {
        "the schedules of Python applications are sent on Linux only" => "Python 应用的定时任务只能在 Linux 上发送";
        "Python workers run on Linux only" => "Python worker 只能在 Linux 上运行";
        "run the worker on Linux or in WSL" => "请在 Linux 或 WSL 里运行 worker";
    }
}

/// Phrases of the operating system and of libraries, and those that are put together here of two.
#[cfg(test)]
pub(super) const SAID_BY_OTHERS: &[&str] = &[
    // The Python package.
    "importing {} fails: {}",
    "the traceback stands above",
    "Python: {}",
    "there is no module {}",
    "folder: {}",
    "file: {}",
    "module: {}",
    "Python files in it: {}",
    "change to the folder of your project, or write the module with its package: -A project.tasks",
    "the module {} has no application",
    "make one: app = App('tasks'), with `from cardoon import App`; or name it: -A module:name",
    "the application in {} is one of Celery",
    "import App from cardoon in its place; cardoon assess -A {} says what will differ",
    // Others.
    "Permission denied (os error {})",
    "permission denied",
    "No such file or directory (os error {})",
    "Not a directory (os error {})",
    "Is a directory (os error {})",
    "File exists (os error {})",
    "Read-only file system (os error {})",
    "No space left on device (os error {})",
    "Too many open files (os error {})",
    "unable to open database file: {}",
    "unable to open database file",
    "Connection refused (os error {})",
    "attempt to write a readonly database",
    "file is not a database",
    "database or disk is full",
    "database is locked",
    "database disk image is malformed",
    "EOF while parsing {} at line {} column {}",
    "expected value at line {} column {}",
    "trailing characters at line {} column {}",
    "key must be a string at line {} column {}",
];
