//! The Chinese of what errors say.

use super::Phrase;
use crate::Code;

/// Code, or `all`: English => Chinese.
macro_rules! phrases {
    ($($code:ident { $($english:literal => $translated:literal;)* })*) => {
        pub(super) const TABLE: &[Phrase] = &[$($(
            Phrase { code: phrases!(@code $code), english: $english, translated: $translated },
        )*)*];
    };
    (@code all) => { None };
    (@code $code:ident) => { Some(Code::$code) };
}

// Behind the macro, which it uses.
mod data;
#[cfg(test)]
mod others;

#[cfg(test)]
pub(super) use others::SAID_BY_OTHERS;

/// All tables: the one below, and that of files and queries.
pub(super) const PHRASES: &[&[Phrase]] = &[TABLE, data::TABLE];

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
        "copy the database" => "复制数据库";
        "finish the copy" => "完成副本";
        "give space back" => "归还空间";
        "rewrite the database" => "重写数据库";
        "shorten the log" => "清空预写日志";
        "name another file" => "换一个文件名";
        "look at the file and its folder: ls -l {}*" => "看看文件和它所在的目录：ls -l {0}*";
        "look at the rights of the file and its folder: ls -l {}*" => "看看文件和目录的权限：ls -l {0}*";
        "choose another file for Cardoon" => "给 Cardoon 换一个文件";
        "store: {}" => "存储：{0}";
        "what was put into the queue {} is still there" => "放进队列 {0} 的东西还在";
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
        // What a doctor finds well, or cannot check.
        "messages wait in {}" => "消息存放在 {0}";
        "results are kept in {}" => "结果存放在 {0}";
        "broker.url is set by the option {}" => "broker.url 来自命令行选项 {0}";
        "broker.url is set by the variable {}" => "broker.url 来自环境变量 {0}";
        "broker.url is set by the file {}" => "broker.url 来自文件 {0}";
        "broker.url is set by the application" => "broker.url 来自应用";
        "broker.url is not set, so the database of this folder is used" => "没有设置 broker.url，使用当前目录的数据库";
        "which stores are used is not known" => "不知道该用哪些存储";
        "it can be imported" => "可以导入";
        "the queues could not be looked into" => "没能查看队列";
        "the queues could not be looked into in time; cardoon queue list takes its time" =>
            "没能及时查看队列；cardoon queue list 可以慢慢查";
        "a store in memory lives and ends with its process" => "内存里的存储随进程产生，也随进程消失";
        "sentinel {}:{} names {}:{}" => "哨兵 {0}:{1} 指出主节点是 {2}:{3}";
        "the name {} leads to {}" => "主机名 {0} 解析为 {1}";
        "{} takes connections" => "{0} 可以连接";
        "{} speaks TLS" => "{0} 使用 TLS";
        "a Redis server answers at {}" => "{0} 上应答的是 Redis 服务器";
        "the server is {} {}.{}" => "服务器是 {0} {1}.{2}";
        "the server tells its version after the login only" => "登录之后服务器才会告知版本";
        "this user may not ask the server about itself (INFO)" => "这个用户无权查询服务器信息（INFO）";
        "logged in as {}" => "已用 {0} 登录";
        "logged in with the password" => "已用密码登录";
        "no login is needed" => "不需要登录";
        "database {} has {} keys" => "数据库 {0} 里有 {1} 个键";
        "it is no replica and part of no cluster" => "不是副本，也不属于集群";
        "its keys are of a layout that is known here" => "键的结构版本可以识别";
        "it writes to disk" => "会写入磁盘";
        "it removes nothing by itself" => "不会自行删除数据";
        "{} MiB in use, no limit" => "已用 {0} MiB，没有上限";
        "{} MiB in use, {} MiB at most" => "已用 {0} MiB，上限 {1} MiB";
        "it takes writes" => "可以写入";
        "its clock and ours differ by {} ms" => "和本机的时钟相差 {0} 毫秒";
        "this user may not ask for the server's time" => "这个用户无权查询服务器时间";
        "workers of Cardoon that are connected to this database: {}" => "连接到这个数据库的 Cardoon worker：{0} 个";
        "this user may not list the connections of others (CLIENT LIST)" => "这个用户无权列出其他连接（CLIENT LIST）";
        "no worker of Celery waits for tasks in this database now" => "现在没有 Celery worker 在这个数据库里等任务";
        "connections of Celery's workers that wait for tasks: {}; nothing waits that they cannot honour" =>
            "正在等任务的 Celery worker 连接：{0} 个；没有它们兑现不了的内容";
        "connections of Celery's workers that wait for tasks: {}" => "正在等任务的 Celery worker 连接：{0} 个";
        "which queues they take from the server does not tell" => "服务器看不出它们取哪些队列";
        "{} is no network file system" => "{0} 不是网络文件系统";
        "files can be made in {}" => "{0} 里可以创建文件";
        "the file system does not tell its free space" => "文件系统不提供剩余空间";
        "free: {} MiB" => "剩余 {0} MiB";
        "the file {} is there" => "文件 {0} 存在";
        "it is ours, of layout {}" => "是 Cardoon 的数据库，结构版本 {0}";
        "it can be written" => "可以写入";
        "the write-ahead log has {} MiB" => "预写日志有 {0} MiB";
        "an older Cardoon made it; the first worker or task adds what it lacks" =>
            "由较旧的 Cardoon 创建；第一个 worker 或任务会补上缺少的部分";
        "it is sound" => "内容完好";
        "the database has {} MiB; to read all of it: cardoon db check" =>
            "数据库有 {0} MiB，没有全部读取；要完整检查：cardoon db check";
        "it takes longer than {} ms; to read all of it: cardoon db check" =>
            "读完需要超过 {0} 毫秒；要完整检查：cardoon db check";
        "the check broke off" => "检查中断了";
        "no worker of Cardoon is alive" => "没有活着的 Cardoon worker";
        "workers that are alive: {} ({})" => "活着的 worker：{0} 个（{1}）";
        "every queue in which tasks wait has a worker; tasks that wait: {}" => "有任务等待的队列都有 worker；等待中的任务：{0} 个";
        "no worker of Cardoon takes from queue {}; whether one of Celery does, the server does not tell" =>
            "没有 Cardoon worker 取队列 {0}；有没有 Celery worker 在取，服务器看不出来";
        "the same is true of further queues: {}; see them all: cardoon queue list" =>
            "另有 {0} 个队列也是这样；查看全部：cardoon queue list";
        "the same is true of further tasks: {}" => "另有 {0} 个任务也是这样";
        "no task waits that its workers do not know" => "等待中的任务，worker 都认识";
        "no worker of Cardoon on queue {} knows the task {}; one of Celery may" =>
            "队列 {0} 上没有 Cardoon worker 认识任务 {1}；Celery worker 也许认识";
        "messages that live workers hold: {}" => "活着的 worker 手上的消息：{0} 条";
    }

    RowsContradict {
        "messages in no place: nobody will take them" => "条消息不在任何位置，不会有 worker 取到它们";
        "messages in several places: they may be executed more often" => "条消息同时在多个位置，可能会多执行几次";
        "places without their message: what stood there is lost" => "个位置的消息不见了，内容已丢失";
        "messages held by a worker that has left: nobody gives them back" => "条消息被已经离开的 worker 占着，没有谁会归还";
        "messages of a queue without a name" => "条消息所属的队列没有名字";
        "messages in the line of another queue or priority" => "条消息排在了别的队列或优先级里";
        "delayed messages that are noted with another time" => "条延迟消息记录的时间不一致";
        "waiting messages that cannot be found by their id" => "条等待中的消息按 id 查不到";
        "ids taken by a message that is gone: sending under them is answered and adds nothing" =>
            "个 id 被已不存在的消息占用，用它发送会有应答，但什么也不会加入";
        "tasks whose result is gone" => "个任务的结果不见了";
    }
    NotEnoughRoom {
        "the disk of {} is nearly full" => "{0} 所在的磁盘快满了";
        "{} has not enough room" => "{0} 的空间不够";
        "needed: {} MiB" => "需要：{0} MiB";
        "free: {} MiB" => "可用：{0} MiB";
        "free space there, or look what takes it: df -h {}" => "在那里腾出空间，或者看看被什么占用了：df -h {0}";
    }
    NobodyLives {
        "{}: its last heartbeat was {} ago" => "{0}：上次心跳在 {1} 之前";
        "workers alive: {}" => "活着的 worker：{0}";
        "see who lives: cardoon workers list" => "看看有哪些 worker：cardoon workers list";
    }
    Unreachable {
        "nothing listens on {}:{}" => "{0}:{1} 上没有程序在监听";
        "nothing listens on {}" => "{0} 上没有程序在监听";
        "start the server: redis-server; in a container: docker run -p 6379:6379 redis" =>
            "启动服务器：redis-server；用容器：docker run -p 6379:6379 redis";
        "look at the host, and at the firewall or the network in between" => "看看主机名对不对，中间有没有防火墙，网络通不通";
        "look at the socket: ls -l {}" => "看看这个套接字：ls -l {0}";
        "asked: {}:{}" => "问过 {0}:{1}";
        "{} is still reading its data" => "{0} 还在加载数据";
        "wait: redis-cli -u <URL> INFO persistence" => "等它加载完，进度：redis-cli -u <URL> INFO persistence";
        "the connection to {} failed" => "与 {0} 的连接失败";
        "{} cannot be reached" => "连不上 {0}";
        "look whether the server runs: redis-cli -u <URL> ping" => "看看服务器是否在运行：redis-cli -u <URL> ping";
        "no sentinel of {} knows its primary" => "{0} 的哨兵都不知道主节点在哪里";
        "ask a sentinel: redis-cli -p 26379 sentinel masters" => "问问哨兵：redis-cli -p 26379 sentinel masters";
        "{}: {}" => "{0}：{1~}";
    }
    NameNotFound {
        "the host of {} cannot be found by its name" => "无法解析 {0} 的主机名";
        "name: {}" => "主机名：{0}";
        "no answer to the name within {} s" => "DNS 在 {0} 秒内没有应答";
        "look at the name: getent hosts NAME; in a container, use the name of the other service" =>
            "看看主机名：getent hosts 主机名；在容器里要写对方的服务名";
        "failed to lookup address information: {}" => "无法解析主机名：{0}";
    }
    WrongPort {
        "nothing listens on port {} of {}, and a Redis server on port {}" =>
            "{1} 的端口 {0} 上没有程序在监听，端口 {2} 上有 Redis 服务器";
        "something else answers on port {} of {}, and a Redis server on port {}" =>
            "{1} 的端口 {0} 上是别的程序，端口 {2} 上有 Redis 服务器";
        "if it is yours, write its port into the URL: redis://{}:{}/0" =>
            "如果那是你的服务器，把它的端口写进 URL：redis://{0}:{1}/0";
        "it answers: {}" => "它的应答：{0}";
        "it hangs up without a word" => "它什么都没说就断开了";
        "{}: Connection refused (os error {})" => "{0}：连接被拒绝（os error {1}）";
    }
    OtherService {
        "what answers at {} is no Redis server" => "{0} 上应答的不是 Redis 服务器";
        "it answers: {}" => "它的应答：{0}";
        "it hangs up without a word" => "它什么都没说就断开了";
        "look what it answers: cardoon doctor" => "看看它应答了什么：cardoon doctor";
        "look who listens there: ss -ltnp 'sport = {}'" => "看看是谁在监听：ss -ltnp 'sport = {0}'";
    }
    OwnContainer {
        "{} is this container itself, and nothing listens in it" => "{0} 就是当前容器自己，里面没有程序在监听";
        "a container: {}" => "在容器里的依据：{0}";
        "name the server's container or service, such as redis://redis:6379/0; or start it here: redis-server" =>
            "写服务器的容器名或服务名，例如 redis://redis:6379/0；或者在这里启动：redis-server";
        "{}: Connection refused (os error {})" => "{0}：连接被拒绝（os error {1}）";
    }
    ClocksDiffer {
        "the clock of {} is ahead of ours" => "{0} 的时钟比本机快";
        "the clock of {} is behind ours" => "{0} 的时钟比本机慢";
        "difference: {} s" => "相差 {0} 秒";
        "let both machines follow a time service: timedatectl set-ntp true" => "让两台机器都同步时间：timedatectl set-ntp true";
    }
    LogTooLong {
        "the write-ahead log of {} does not shrink" => "{0} 的预写日志一直没有缩小";
        "length: {} MiB" => "长度：{0} MiB";
        "find who reads all the time: fuser -v {}; then: cardoon db vacuum --wal" =>
            "找出一直在读的程序：fuser -v {0}；然后：cardoon db vacuum --wal";
    }
    RedisTls {
        "{} is a Redis server without TLS, and the URL asks for TLS" => "{0} 上的 Redis 服务器没有 TLS，而 URL 要求 TLS";
        "{} speaks TLS, and the URL does not ask for it" => "{0} 使用 TLS，而 URL 没有要求";
        "TLS handshake: no answer of TLS" => "TLS 握手：没有 TLS 应答";
        "PING without TLS: answered" => "不用 TLS 的 PING：有应答";
        "PING without TLS: no answer of Redis" => "不用 TLS 的 PING：没有 Redis 应答";
        "TLS handshake: answered" => "TLS 握手：有应答";
        "write redis:// in place of rediss://, or give the server a tls-port" =>
            "把 rediss:// 改成 redis://，或者给服务器配置 tls-port";
        "write rediss:// in place of redis://" => "把 redis:// 改成 rediss://";
    }
    RedisProtected {
        "{}: {}" => "{0}：{1~}";
        "set a password on the server (requirepass) and write it into the URL" => "给服务器设密码（requirepass），再写进 URL";
    }
    RedisNoDatabase {
        "{}: {}" => "{0}：{1~}";
    }
    RedisLosesTasks {
        "{} removes tasks when memory is short" => "内存不够时，{0} 会删除任务";
        "redis-cli -u <URL> CONFIG SET maxmemory-policy noeviction; the same in redis.conf" =>
            "redis-cli -u <URL> CONFIG SET maxmemory-policy noeviction；redis.conf 里也要改";
        "{} keeps tasks in memory only: its end loses them" => "{0} 只在内存里保存任务：服务器一退出就没了";
        "redis-cli -u <URL> CONFIG SET appendonly yes; the same in redis.conf" =>
            "redis-cli -u <URL> CONFIG SET appendonly yes；redis.conf 里也要改";
    }
    OtherDatabase {
        "nobody waits for tasks in database {} of {}, but in database {}" =>
            "{1} 的数据库 {0} 里没有人等任务，数据库 {2} 里有";
        "database {}: {} workers of Cardoon, {} connections of Celery's" =>
            "数据库 {0}：{1} 个 Cardoon worker，{2} 个 Celery 连接";
        "if those workers are meant, end the URL with /{}" => "如果指的就是那些 worker，URL 的末尾写 /{0}";
    }
    QueuePaused {
        "tasks wait in further paused queues: {}" => "另有 {0} 个暂停的队列里也有任务在等";
        "queues: {}" => "队列：{0}";
        "see them all: cardoon queue list" => "查看全部：cardoon queue list";
        "tasks wait in the paused queue {}" => "队列 {0} 已暂停，里面有任务在等";
        "ready: {}, delayed: {}" => "就绪 {0} 条，延迟 {1} 条";
        "the oldest has waited for {}" => "最早的一条已经等了 {0}";
    }
    NoWorker {
        "tasks wait in further queues, and no worker takes from them: {}" =>
            "另有 {0} 个队列里也有任务在等，同样没有 worker 来取";
        "queues: {}" => "队列：{0}";
        "see them all: cardoon queue list" => "查看全部：cardoon queue list";
        "tasks wait in queue {}, and no worker takes from it" => "队列 {0} 里有任务在等，却没有 worker 来取";
        "ready: {}, delayed: {}" => "就绪 {0} 条，延迟 {1} 条";
        "the oldest has waited for {}" => "最早的一条已经等了 {0}";
        "worker {} takes from: {}" => "worker {0} 取的队列：{1}";
        "start one: cardoon worker -A tasks --queues {}" => "启动一个：cardoon worker -A tasks --queues {0}";
    }
    HeldByDead {
        "further workers that are gone and hold messages: {}" => "另有 {0} 个 worker 也已消失，手上还有消息";
        "worker {} is gone and holds messages: {}" => "worker {0} 已经消失，手上还有 {1} 条消息";
        "worker {} has been silent for {} and holds messages: {}" => "worker {0} 已有 {1} 没有动静，手上还有 {2} 条消息";
        "workers that are alive: none, so nobody puts them back" => "没有活着的 worker，所以没有人把它们放回队列";
        "workers that are alive: {}" => "活着的 worker：{0} 个";
        "start a worker of the queue: cardoon worker -A tasks" => "为这个队列启动 worker：cardoon worker -A tasks";
        "a live worker of the queue puts them back; ask again in some seconds" =>
            "同一队列活着的 worker 会把它们放回去；过几秒再查";
    }
    BesideCelery {
        "{} delayed tasks wait for a worker of Cardoon, and only Celery's are there" =>
            "有 {0} 个延迟任务要等 Cardoon worker，而这里只有 Celery worker";
        "start a worker of Cardoon, or: cardoon handback" => "启动一个 Cardoon worker，或者：cardoon handback";
        "a queue is paused, and Celery's workers take from it all the same" => "有队列被暂停了，但 Celery worker 照样会取";
        "stop Celery's workers of that queue, or: cardoon queue resume QUEUE" =>
            "停掉取那个队列的 Celery worker，或者：cardoon queue resume 队列名";
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
        "the port is no number from 0 to 65535" => "端口不是 0 到 65535 的数字";
        "the database is no number" => "数据库编号不是数字";
        "a `[` is not closed" => "有一个 `[` 没有闭合";
        "its scheme is not one of Redis" => "它不是 Redis 的 URL";
        "a `%` is not followed by two hexadecimal digits" => "`%` 后面不是两位十六进制数字";
        "what follows `?` is no option" => "`?` 后面的内容不是选项";
        "an `@` comes after a `/` or `?`, as if the password had one of them in it" =>
            "`/` 或 `?` 后面还有 `@`，看起来密码里有这样的字符";
        "write redis://USER:PASSWORD@HOST:PORT/DATABASE; in user and password, / is %2F, ? is %3F, # is %23, @ is %40 and % is %25" =>
            "写成 redis://用户:密码@主机:端口/数据库；用户和密码里的 / 写成 %2F，? 写成 %3F，# 写成 %23，@ 写成 %40，% 写成 %25";
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
        "PING: nothing within {} ms" => "PING：{0} 毫秒内没有应答";
        "it is stopped, busy or no Redis server: redis-cli -u <URL> ping" =>
            "它可能停住了、太忙，或者不是 Redis：redis-cli -u <URL> ping";
        "look at the disk: df, mount, dmesg" => "看看磁盘：df、mount、dmesg";
        "all questions together: no end within {} ms" => "全部检查在 {0} 毫秒内没有做完";
        "look at the network and at what the server has to do" => "看看网络，以及服务器是不是太忙";
        "{} did not answer in time" => "{0} 没有及时响应";
        "{} is still busy" => "{0} 还在忙";
    }
    StoreClosed {
        "{} was closed" => "{0} 已经关闭";
        "the database was closed" => "数据库已经关闭";
        "the consumer was closed" => "消费者已经关闭";
    }
    Unsupported {
        "a Redis server looks after its data itself" => "Redis 服务器自己管理数据";
        "a store in memory is no file" => "内存里的存储不是文件";
        "name a database: --broker sqlite:PATH" => "指定数据库：--broker sqlite:路径";
        "{} is of an older kind, which gives back nothing without being rewritten" => "{0} 是旧格式，不重写就无法归还空间";
        "cardoon db vacuum --full, at a time when workers may wait for it" => "在 worker 可以等待的时候运行：cardoon db vacuum --full";
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
        "no file can be made in {}" => "{0} 里不能创建文件";
        "look at its owner and its rights: ls -ld {}" => "看看它的属主和权限：ls -ld {0}";
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
        "the disk of {} is full" => "{0} 所在的磁盘满了";
        "free space there, or look what takes it: df -h {}" => "腾出空间，或者看看是什么占用的：df -h {0}";
        "free disk space; the operation can be repeated then" => "腾出磁盘空间，然后可以再试一次";
    }
    ReadOnly {
        "no file can be made in {}" => "{0} 里不能创建文件";
        "look at its owner and its rights: ls -ld {}" => "看看它的属主和权限：ls -ld {0}";
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
        "{} is damaged" => "{0} 已损坏";
        "all damages: cardoon db check --full; then restore a copy" => "列出全部损坏：cardoon db check --full；然后从备份恢复";
        "check it: sqlite3 {} 'pragma integrity_check', then restore" =>
            "先检查，再从备份恢复：sqlite3 {0} 'pragma integrity_check'";
    }

    RedisTooOld {
        "use a newer server, Redis or Valkey" => "换用更新的服务器，Redis 或 Valkey 都可以";
        "{} is Redis {}.{}, 6.2 is needed" => "{0} 是 Redis {1}.{2}，至少需要 6.2";
    }
    RedisFull {
        "the memory of {} is nearly full" => "{0} 的内存快用完了";
        "{} of {} MiB" => "{0} / {1} MiB";
        "look what takes it: redis-cli -u <URL> --memkeys; then raise maxmemory" =>
            "看看是什么占用的：redis-cli -u <URL> --memkeys；再调高 maxmemory";
        "{} could not write to its disk" => "{0} 没能写入磁盘";
        "look at the space and the rights where it runs: df -h, and its log" => "看看它所在机器的磁盘空间、权限和它的日志：df -h";
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
        "write the password into the URL: redis://:PASSWORD@HOST:PORT/0" => "把密码写进 URL：redis://:密码@主机:端口/0";
        "{}: {}" => "{0}：{1~}";
        "look at the user, the password and the rules of `ACL LIST`" => "检查用户名、密码，以及 `ACL LIST` 里的规则";
    }
    RedisNewerLayout {
        "the keys in {} have layout {}, this is {}" => "{0} 里的键的结构版本是 {1}，当前程序是 {2}";
        "use a newer Cardoon, or another database" => "换用更新的 Cardoon，或者换一个数据库";
    }
    RedisCluster {
        "use a server of its own; several are kept by Redis Sentinel" => "单独用一台服务器；多台可以用 Redis Sentinel";
        "{} is part of a Redis Cluster" => "{0} 属于一个 Redis 集群";
    }
    RedisCertificate {
        "{}: {}" => "{0}：{1~}";
        "name the server's authority: ?ssl_ca_certs=/path/to/ca.pem" => "指定签发证书的 CA：?ssl_ca_certs=/path/to/ca.pem";
    }

    TooLarge {
        "the body of the request is larger than {} bytes" => "请求体超过 {0} 字节";
        "store the data elsewhere, and send where it is; the limit is the setting gateway.body_limit" =>
            "把数据存到别处，只发送它的位置；上限是设置 gateway.body_limit";
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
        "`{}` cannot be a queue name on Redis: the store keeps something else under such a key" =>
            "`{0}` 在 Redis 上不能作为队列名：存储在这样的键里放着别的东西";
        "take another name" => "换一个名字";
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
        "no live worker knows a task {}" => "没有在线的 worker 认识任务 {0}";
        "workers on the queue {}: {}" => "队列 {0} 上的 worker：{1} 个";
        "start a worker that has the task, or send without `require_worker`" =>
            "启动有这个任务的 worker，或者发送时不要 `require_worker`";
        "no worker of queue {} knows the task {}" => "队列 {0} 的 worker 都不认识任务 {1}";
        "further tasks that no worker of their queues knows: {}" => "另有 {0} 个任务，它们队列的 worker 都不认识";
        "look into a queue: cardoon queue peek QUEUE" => "看看队列里的内容：cardoon queue peek 队列名";
        "such tasks among the first {}: {}" => "前 {0} 条里这样的任务：{1} 个";
        "workers of the queue: {}" => "这个队列的 worker：{0}";
        "correct the name, or start a worker that has it: cardoon worker -A tasks --queues {}" =>
            "改正名称，或者启动有这个任务的 worker：cardoon worker -A tasks --queues {0}";
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
        "an address and a port such as \"127.0.0.1:8765\"" => "地址加端口，例如 \"127.0.0.1:8765\"";
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
        "file {}, named by {}" => "文件 {0}（由{1~}指定）";
        "default" => "默认";
        "{} is given both itself and in a file" => "{0} 的值既直接给出，又放在文件里";
        "leave one of them out" => "去掉其中一个";
        "{}.password is given, but {}.url names no server" => "给出了 {0}.password，但 {1}.url 没有指定服务器";
        "name the server, such as redis://HOST, or leave the password out" =>
            "写上服务器，例如 redis://主机，或者去掉密码";
        "any text that is not empty" => "任意非空文本";
        "error, warn, info, debug or trace" => "error、warn、info、debug 或 trace";
        "\"pretty\" or \"json\"" => "\"pretty\" 或 \"json\"";
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
    BadSecretFile {
        "cannot read the secret in {}" => "无法读取 {0} 里的密钥";
        "setting: {}" => "设置：{0}";
        "environment {}" => "环境变量 {0}";
        "file {}" => "文件 {0}";
        "it is no file" => "它不是普通文件";
        "it is larger than 64 KiB" => "它超过 64 KiB";
        "it is no UTF-8 text" => "它不是 UTF-8 文本";
        "write the secret into the file, and nothing else" => "文件里只写密钥，不要写别的";
        "look at the file and its rights: ls -lL {}" => "看看文件和它的权限：ls -lL {0}";
    }
    BadInput {
        "there is a token `{}` already" => "已经有名为 `{0}` 的令牌";
        "take another name, or revoke it first: cardoon gateway token revoke NAME" =>
            "换一个名称，或者先吊销它：cardoon gateway token revoke 名称";
        "a token's name has 1 to {} letters, digits, or any of - _ . @" =>
            "令牌的名称是 1 到 {0} 个字母、数字或 - _ . @";
        "there is no token `{}`" => "没有名为 `{0}` 的令牌";
        "a database is not copied over itself" => "不能把数据库复制到它自己上面";
        "another backup writes {}" => "另一个备份正在写 {0}";
        "wait for its end, or name another file" => "等它结束，或者换一个文件名";
        "a database is in use at {}" => "{0} 是正在使用的数据库";
        "its log is there: {}" => "它的日志还在：{0}";
        "Celery is compared on a Redis server" => "和 Celery 对照要用 Redis 服务器";
        "the store is none that Celery knows by the same URL" => "Celery 不认识这个存储的 URL";
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
        "this would be about all dead letters" => "这会涉及全部死信";
        "say which: `ids`, `queue` or `reason`; or say `\"all\": true`" =>
            "请说明是哪些：`ids`、`queue` 或 `reason`；或者写 `\"all\": true`";
        "this would replace {}" => "这会替换 {0}";
        "name another file, or add --yes" => "换一个文件名，或者加上 --yes";
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
        "cannot write the report to {}" => "无法把报告写到 {0}";
        "name a file in a folder that exists: --report verify.html" => "指定一个已有目录里的文件：--report verify.html";
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
        "cannot create the verification's folder" => "无法创建检验用的目录";
        "this is no order of a verification" => "这不是检验命令发来的指令";
        "this command is started by `cardoon verify`, never by hand" => "这个命令由 cardoon verify 启动，不要手工运行";
        "the queue {} of the verification cannot be emptied" => "检验用的队列 {0} 清不空";
        "somebody still holds messages of it" => "还有人占着其中的消息";
        "{} verifications are under way on this store already" => "这个存储上已经有 {0} 个检验在进行";
        "wait until one of them has ended" => "等其中一个结束";
        "no task has left a result, so nothing can be counted" => "没有任务留下结果，无法计数";
        "either none was executed, or the task ignores its result" => "要么一个都没有执行，要么任务不保留结果";
        "choose a task that keeps its result" => "换一个保留结果的任务";
        "it executes nothing" => "它没有执行任何任务";
        "it did not pause a worker" => "它没能暂停 worker";
        "a process cannot be paused" => "无法暂停进程";
        "all tasks failed, so nothing can be measured" => "任务全部失败，无法测量";
        "the first failure: {}" => "第一个失败：{0}";
        "check the task's name and its arguments" => "检查任务名和参数";
        "this verification has lost its name {} on the store" => "这次检验失去了它在存储上的名字 {0}";
        "it could not say for a minute that it is there" => "它有一分钟没能报告自己还在";
        "run it again when the store answers" => "等存储能应答时再运行一次";
        "the workers did not get ready" => "worker 没有就绪";
        "it does not begin to count" => "它没有开始计数";
        "it did not count to the end" => "它没有数到底";
        "it gave no answer" => "它没有给出回答";
        "interpreter: {}" => "解释器：{0}";
        "pip install 'celery[redis]', or name the interpreter that has it: --python venv/bin/python" =>
            "pip install 'celery[redis]'，或者指定装有它的解释器：--python venv/bin/python";
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
    TokenNeeded {
        "the request has no header `Authorization: Bearer …`" => "请求没有 `Authorization: Bearer …` 头";
        "the token of the request is not known" => "请求带的令牌不认识";
        "make one: cardoon gateway token create NAME --scope send" =>
            "创建一个：cardoon gateway token create 名称 --scope send";
    }
    ScopeMissing {
        "the token `{}` does not allow this" => "令牌 `{0}` 没有这个权限";
        "needed: {}" => "需要：{0}";
        "cardoon gateway token create NAME --scope {}" => "cardoon gateway token create 名称 --scope {0}";
    }
    CrossSite {
        "the request comes from a page of another site, or names another host" =>
            "请求来自别的站点的页面，或者写了别的主机名";
        "host: {}" => "主机：{0}";
        "origin: {}" => "来源：{0}";
        "target: {}" => "请求行里的主机：{0}";
        "the header {} is there more than once" => "请求头 {0} 出现了不止一次";
        "call the gateway from a program, or from a page of its own" => "请从程序里调用网关，或者从它自己的页面调用";
    }
    KeyReused {
        "another request was sent under this idempotency key" => "这个幂等键已经用于另一个请求";
        "another request has this idempotency key" => "这个幂等键属于另一个请求";
        "whether its task was sent is not known yet" => "还不知道它的任务是否已经发出";
        "its task: {}" => "它的任务：{0}";
        "take a new key for each thing to do; repeat it only with the same contents" =>
            "每件事用一个新的键；只有内容相同的请求才重复使用";
    }
    BadRequest {
        "see /api/v1/openapi.json" => "参见 /api/v1/openapi.json";
        "the body is no JSON" => "请求体不是 JSON";
        "a field of the body is not as it must be" => "请求体里有字段不符合要求";
        "the body is not said to be JSON" => "没有说明请求体是 JSON";
        "there is a body, and nothing says that it is JSON" => "有请求体，却没有说明它是 JSON";
        "add the header `Content-Type: application/json`" => "加上请求头 `Content-Type: application/json`";
        "the body broke off" => "请求体中断了";
        "the line and the headers of the request have more than {} bytes" => "请求行和请求头超过了 {0} 字节";
        "`task` is empty" => "`task` 是空的";
        "`headers` has `{}`, which the message says itself" => "`headers` 里有 `{0}`，而这由消息自己写明";
        "two tasks of the batch have the same `id`" => "这一批里有两个任务的 `id` 相同";
        "`{}` is `{}`" => "`{0}` 的值是 `{1}`";
        "`{}` is not {}" => "`{0}` 不是{1~}";
        "a list" => "列表";
        "an object" => "对象";
        "`{}` has {} items; it has 1 to 1000" => "`{0}` 有 {1} 项；应当有 1 到 1000 项";
        "`limit` is {}; it is 1 to {}" => "`limit` 是 {0}；应当在 1 到 {1} 之间";
        "`priority` is 0 to 9" => "`priority` 应当在 0 到 9 之间";
        "`wait` is longer than a minute: ask again then" => "`wait` 超过一分钟：到时再问一次";
        "`after` is no place" => "`after` 不是有效的位置";
        "there is no such place" => "没有这个位置";
        "`state` is no state" => "`state` 不是任务状态";
        "`reason` is no reason" => "`reason` 不是死信原因";
        "the reasons: {}" => "可用的原因：{0}";
        "the header `Idempotency-Key` has 1 to {} printable characters" =>
            "请求头 `Idempotency-Key` 应当是 1 到 {0} 个可打印字符";
    }
    NoSuchPath {
        "there is nothing under {}" => "{0} 下面什么也没有";
        "{} does not take {}" => "{0} 不接受 {1}";
        "see /api/v1/openapi.json" => "参见 /api/v1/openapi.json";
    }
    OpenAddress {
        "others could reach {}, and there is no token" => "别人能访问 {0}，却没有任何令牌";
        "make one: cardoon gateway token create NAME --scope send; or listen on 127.0.0.1" =>
            "创建一个：cardoon gateway token create 名称 --scope send；或者只监听 127.0.0.1";
    }
    CannotListen {
        "cannot listen on {}" => "无法监听 {0}";
        "Address already in use (os error {})" => "地址已被占用（os error {0}）";
        "take another port: --listen 127.0.0.1:0 is a free one" => "换一个端口：--listen 127.0.0.1:0 会选一个空闲的";
    }
    BadTokenFile {
        "the tokens in {} cannot be {}" => "{0} 里的令牌无法{1~}";
        "read" => "读取";
        "written" => "写入";
        "understood" => "理解";
        "look at the file and its rights: ls -l {}" => "看看文件和它的权限：ls -l {0}";
        "there is no file {}" => "没有文件 {0}";
        "make it with its first token: cardoon gateway token create NAME --scope send" =>
            "创建第一个令牌就会创建它：cardoon gateway token create 名称 --scope send";
    }
    RequestTimedOut {
        "the body of the request did not come within {} s" => "请求体没有在 {0} 秒内到齐";
        "the request was not answered within {} s" => "请求没有在 {0} 秒内得到应答";
        "repeat the request: nothing was done" => "请重新请求：什么也没有执行";
    }
}
