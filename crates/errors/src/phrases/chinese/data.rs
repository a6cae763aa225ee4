//! What is said of files and queries.

use super::Phrase;
use crate::Code;

phrases! {
    NoFiles {
        "no file matches {}" => "没有与 {0} 匹配的文件";
        "there is no folder {}" => "没有目录 {0}";
        "the folder {} holds {} entries" => "目录 {0} 里有 {1} 项";
        "did you mean {}?" => "是不是想写 {0}？";
        "no files were named" => "没有写要读取哪些文件";
        "{} holds {} objects" => "{0} 里有 {1} 个对象";
        "there is no object {}" => "没有对象 {0}";
        "{} means more than {} files" => "{0} 匹配到的文件超过 {1} 个";
        "{} is no pattern of file names" => "{0} 不是正确的通配符";
        "Pattern syntax error near position {}: {}" => "通配符的第 {0} 个位置附近有语法错误：{1}";
        "{} cannot be read" => "{0} 无法读取";
        "cannot read {}" => "无法读取 {0}";
    }
    NoFormat {
        "the files are not all compressed in the same way" => "这些文件的压缩方式不一样";
        "the name of {} does not say what it is" => "从文件名 {0} 看不出是什么格式";
        "names end in .csv, .tsv, .jsonl or .parquet, with .gz or .zst after it if compressed" =>
            "文件名以 .csv、.tsv、.jsonl 或 .parquet 结尾，压缩过的后面再加 .gz 或 .zst";
        "the files are not all of one format" => "这些文件不是同一种格式";
        "{} is another than those before it" => "{0} 和前面的文件格式不同";
        "the name of {} does not say what to write" => "从文件名 {0} 看不出要写成什么格式";
        "end the name in .csv, .json, .jsonl or .parquet" => "文件名要以 .csv、.json、.jsonl 或 .parquet 结尾";
    }
    ColumnsDiffer {
        "{} and {} differ in column {}: {} and {}" => "{0} 和 {1} 的第 {2} 列不同：前者是 {3~}，后者是 {4~}";
        "no such column" => "（没有这一列）";
    }
    NoSuchColumn {
        "there is no column {}" => "没有名为 {0} 的列";
        "the columns are {}" => "现有的列：{0}";
        "did you mean {}?" => "是不是想写 {0}？";
    }
    BadRow {
        "{}: the lines end in a carriage return alone; save it with other line ends" => "{0}：行尾只有回车符；请换一种行尾重新保存";
        "{}, line {}: the row has {} fields instead of {}: {}" =>
            "{0} 第 {1} 行：这一行有 {2} 个字段，应为 {3} 个：{4}";
        "{}, line {}: a row begins that is longer than {} bytes" => "{0} 第 {1} 行：从这里开始的一行超过了 {2} 字节";
        "{}, line {}: a row begins in which a quote is opened and never closed" =>
            "{0} 第 {1} 行：从这里开始的一行里，有引号一直没有配对";
        "--bad-rows skip leaves such rows out and counts them" => "加上 --bad-rows skip 会跳过这样的行，并统计行数";
        "look at that line of the file; a quote within a field is written twice" =>
            "看看文件里的这一行；字段里的引号要连写两个";
    }
    ValueDisagrees {
        "{}, line {}: column {} was taken for {}, but `{}` is {}; it must be read as {}" =>
            "{0} 第 {1} 行：{2} 列按{3~}读取，但 `{4}` 是{5~}；应按{6~}读取";
        "null" => "空值";
        "boolean" => "布尔值";
        "whole number" => "整数";
        "number" => "数字";
        "date" => "日期";
        "timestamp" => "时间";
        "text" => "文本";
        "say what the column holds: --type {}=text" => "指定这一列的类型：--type {0}=text";
    }
    NotUtf8 {
        "{}, line {}: column {} is no UTF-8 at byte {} of the file: {}" =>
            "{0} 第 {1} 行：{2} 列不是 UTF-8（文件的第 {3} 字节）：{4}";
        "convert the file: iconv -f GBK -t UTF-8 in.csv > out.csv" =>
            "转换文件的编码：iconv -f GBK -t UTF-8 in.csv > out.csv";
    }
    EmptyFile {
        "{} is empty: there is no header to name its columns" => "{0} 是空的：没有表头，不知道有哪些列";
    }
    FileChanged {
        "{} changed while it was read: {} bytes instead of {}" => "读取期间 {0} 变了：现在是 {1} 字节，原来是 {2} 字节";
        "{} changed while it was read" => "读取期间 {0} 变了";
    }
    StoreDenied {
        "the object store does not accept the keys for {}" => "对象存储不接受访问 {0} 的密钥";
        "it answers {}; {}" => "它的应答是 {0}；{1~}";
        "access to {} is denied" => "没有访问 {0} 的权限";
        "the access key is {}" => "所用的访问密钥是 {0}";
        "requests are not signed, since there are no keys" => "没有密钥，所以请求没有签名";
        "keys are those of this machine" => "所用的是本机的密钥";
        "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or at key and secret of storage_options" =>
            "检查 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，或者 storage_options 里的 key 和 secret";
        "let the owner of the bucket allow it: listing, reading or writing" =>
            "请存储桶的所有者授权：列出、读取或写入";
    }
    NoSuchBucket {
        "the bucket of {} does not exist" => "{0} 的存储桶不存在";
        "the store is {}" => "对象存储的地址是 {0}";
        "look at the name, and at AWS_ENDPOINT_URL" => "检查桶名，以及 AWS_ENDPOINT_URL";
    }
    StoreAway {
        "the object store does not answer for {}" => "访问 {0} 时，对象存储没有应答";
        "{}: {}" => "{0}：{1~}";
        "look at AWS_ENDPOINT_URL, and whether the store runs" => "检查 AWS_ENDPOINT_URL，以及对象存储是否在运行";
    }
    BadStoreOptions {
        "files are not read or written by {}://" => "不能通过 {0}:// 读写文件";
        "known are paths, file:// and s3://" => "可以用路径、file:// 和 s3://";
        "write s3://bucket/key" => "请写成 s3://bucket/key";
        "Google's store speaks S3 too: s3://bucket/key, with AWS_ENDPOINT_URL=https://storage.googleapis.com" =>
            "Google 的对象存储也支持 S3 协议：写 s3://bucket/key，并设置 AWS_ENDPOINT_URL=https://storage.googleapis.com";
        "copy the files to a folder or to a store that speaks S3" => "把文件复制到文件夹里，或者复制到支持 S3 协议的对象存储";
        "{} is no name of a bucket" => "{0} 不是存储桶的名字";
        "a URL has the form s3://bucket/key" => "URL 的格式是 s3://bucket/key";
        "a URL of a store has no user and no password" => "对象存储的 URL 里不能写用户名和密码";
        "give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" =>
            "用 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY 给出密钥";
        "storage options are names with values" => "storage_options 应该是名字到值的映射";
        "the storage option {} has a value of another type" => "storage_options 里 {0} 的值类型不对";
        "there is no storage option {}" => "storage_options 没有 {0} 这一项";
        "the options are {}" => "可用的有：{0}";
        "did you mean {}?" => "是不是想写 {0}？";
        "the endpoint of an object store is no URL of a server" => "对象存储的地址不是服务器的 URL";
        "write http://HOST:PORT or https://HOST, without user and password" =>
            "请写成 http://HOST:PORT 或 https://HOST，不带用户名和密码";
        "{} of an object store has a letter that it cannot have" => "对象存储的{0~}里有不该有的字符";
        "the region" => "区域";
        "the access key" => "访问密钥";
        "the secret key" => "私有密钥";
        "the session token" => "会话令牌";
        "look for a space or a line end that was copied with it" => "看看是不是多复制了空格或换行";
        "keys of an object store come in pairs" => "对象存储的密钥要成对给出";
        "there is no {}" => "缺少 {0}";
        "{} is in another region" => "{0} 在另一个区域";
        "set AWS_REGION to the region of the bucket" => "把 AWS_REGION 设成存储桶所在的区域";
        "an object store cannot be reached with these options" => "用这些设置无法访问对象存储";
        "storage options are only known to the process that gave them" => "storage_options 只在给出它们的进程里有效";
        "{} cannot be the URL of an object" => "{0} 不能是对象的 URL";
        "a key has parts between slashes, none of them empty, . or .." =>
            "键由斜杠分成若干段，每一段都不能是空的，也不能是 . 或 ..";
    }
    OptionsOnCluster {
        "they may be secret, and executors reach the store themselves" => "它们可能含有密钥；执行器自己访问对象存储";
        "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL where executors are started" =>
            "在启动执行器的环境里设置 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY 和 AWS_ENDPOINT_URL";
    }
    SpillFull {
        "name a folder on a larger disk: --spill-folder, --folder of an executor, or TMPDIR" =>
            "换一个磁盘空间更大的目录：用 --spill-folder（执行器用 --folder）或 TMPDIR 指定";
    }
    BrokenFile {
        "{} is broken" => "{0} 已损坏";
        "it has 0 bytes" => "它是 0 字节";
        "its end tells of a footer of {} bytes, and the file has {}" => "文件结尾说 footer 有 {0} 字节，而整个文件只有 {1} 字节";
        "{}, line {}: this is no JSON" => "{0} 第 {1} 行：不是 JSON";
        "write it anew, or leave it out of the pattern" => "重新生成这个文件，或者让通配符不要匹配到它";
    }
    NestedInCsv {
        "column {} holds lists or objects, which CSV has no place for" => "{0} 列里是列表或对象，CSV 放不下";
        "write .parquet or .jsonl instead, or take values out of the column" =>
            "改写成 .parquet 或 .jsonl，或者先从这一列里取出要用的值";
    }
    FileUnreadable {
        "the object store fails for {}" => "访问 {0} 时，对象存储出错";
        "it answers {}" => "它的应答是 {0}";
        "{} is no regular file" => "{0} 不是普通文件";
        "{} cannot be read" => "{0} 无法读取";
        "cannot read {}" => "无法读取 {0}";
        "invalid gzip header" => "不是 gzip 格式";
        "corrupt deflate stream" => "压缩的内容已损坏";
        "Unknown frame descriptor" => "不是 zstd 格式";
    }
    BadQuery {
        "a value of the query does not fit the column that it meets" => "查询里的一个值和它要比较的列类型不合";
        "a file stands between single quotes: select * from 'logs.csv'" => "文件名要写在单引号里：select * from 'logs.csv'";
        "if the column should hold it, say so: --type COLUMN=text" => "如果这一列本来就该是这样的值，请写明：--type 列名=text";
        "a query has at most {} KiB" => "查询最长 {0} KiB";
        "put long lists of values into a file and join with it" => "很长的取值列表请写到文件里，再和它连接";
        "{} does not take so many arguments" => "{0} 的参数个数不对";
    }
    MemoryTooSmall {
        "a query cannot work within {} MiB" => "{0} MiB 内存不够执行查询";
        "allow {} MiB or more" => "上限至少要 {0} MiB";
    }
    OutOfMemory {
        "allow more with --memory, or use fewer threads" => "用 --memory 调大上限，或者减少线程";
    }
    QueryFailed {
        "the engine cannot be set up" => "查询引擎无法启动";
    }
    OutsideRoots {
        "{} is outside of the allowed folders" => "{0} 不在允许的目录里";
        "allowed are {}" => "允许的目录：{0}";
    }
    NoDataProgram {
        "the program {} is not installed" => "没有安装程序 {0}";
        "the folder of this program, and those of PATH" => "当前程序所在的目录和 PATH 里的目录";
        "cargo install --path data/cli, from the checkout" => "在源码目录里运行：cargo install --path data/cli";
        "{} cannot be started" => "{0} 无法启动";
    }
    OutputTaken {
        "{} is a folder" => "{0} 是一个目录";
        "name a file in it" => "写出目录里的文件名";
    }
    NoCluster {
        "{}: {}" => "{0}：{1~}";
        "it does not answer" => "没有应答";
        "something else answers there" => "那里应答的是别的程序";
        "failed to lookup address information: {}" => "无法解析主机名：{0}";
        "start one: cardoon data cluster" => "启动一个：cardoon data cluster";
    }
    OtherCluster {
        "here {}, there {}" => "本机是 {0}，集群是 {1}";
        "install the same version on all machines" => "所有机器都要安装同一个版本";
    }
    NotShared {
        "an executor does not see {}" => "执行器找不到 {0}";
        "executors must find files under the same path: put them on a shared folder" =>
            "执行器要能用同样的路径找到文件：请把文件放到共享目录里";
    }
    NoExecutors {
        "start one: cardoon data executor --scheduler {}" => "启动一个：cardoon data executor --scheduler {0}";
    }
    ExecutorsLost {
        "lost while the query ran: {}" => "查询期间失联：{0~}";
        "{}:{} refuses connections" => "{0}:{1} 拒绝连接";
        "{}:{} is silent" => "{0}:{1} 没有心跳";
        "the scheduler has not heard of this program for too long" => "调度器太久没有收到本程序的消息";
        "executors were lost again and again while the query ran" => "查询期间执行器一再失联";
        "look whether they run out of memory; cardoon data executor --memory gives them more" =>
            "看看它们是不是内存不够；用 cardoon data executor --memory 可以调大上限";
    }
    ClusterDenied {
        "give its token with --token or CARDOON_DATA_TOKEN" => "用 --token 或 CARDOON_DATA_TOKEN 给出集群的令牌";
    }
    NoPython {
        "the function {} may not be carried out here" => "这里不允许执行函数 {0}";
        "{} does not carry out functions of Python" => "{0} 无法执行 Python 函数";
        "start executors with --python python3 and a token, or ask from Python" =>
            "启动执行器时加上 --python python3 和令牌，或者在 Python 里发起查询";
        "name an interpreter that has the package cardoon-data" => "请指定装有 cardoon-data 的解释器";
    }
    FunctionRaised {
        "the function {} raised {}" => "函数 {0} 抛出 {1}";
        "classes: {}" => "异常的类：{0}";
    }
    ChildDied {
        "the process of the function {} died {} times" => "执行函数 {0} 的进程死了 {1} 次";
    }
    OtherColumns {
        "the function {} made other columns than meta says" => "函数 {0} 产生的列和 meta 说的不一样";
        "say what it makes: meta={}" => "说明它产生什么：meta={0}";
        "let the function return a frame" => "让函数返回一个 DataFrame";
    }
    OtherPython {
        "the function {} was made by another Python" => "函数 {0} 来自另一个 Python 版本";
        "here {}, where it was made {}" => "这里是 {0}，函数来自 {1}";
        "start executors with a --python of the same version" => "请用同版本的 --python 启动执行器";
    }
    OutputFailed {
        "the object store fails for {}" => "访问 {0} 时，对象存储出错";
        "it answers {}" => "它的应答是 {0}";
        "{} is written by others again and again" => "一直有别人在写 {0}";
        "{} cannot be written" => "{0} 无法写入";
        "standard output cannot be written" => "无法写到标准输出";
        "the folder for the logs cannot be made" => "无法创建存放日志的目录";
    }
    DiskFull {
        "{} cannot be written" => "{0} 无法写入";
    }
    BadInput {
        "functions of Python are code that others send, and there is no token" =>
            "Python 函数是别人发来的代码，而这里没有设置令牌";
        "{} cannot stand between fields" => "{0} 不能用作分隔符";
        "this CSV dialect is not possible: {}" => "不能这样读 CSV：{0~}";
        "the delimiter and the quote cannot be line ends" => "分隔符和引号不能是换行符";
        "the delimiter and the quote must differ" => "分隔符和引号不能相同";
        "the delimiter and the quote must be ASCII" => "分隔符和引号必须是 ASCII 字符";
        "the query cannot be read from standard input" => "无法从标准输入读取查询";
        "Parquet is nothing to show on a terminal" => "Parquet 不能直接显示在终端里";
        "write it to a file with --out rows.parquet" => "用 --out rows.parquet 写到文件里";
        "logs of {} GB cannot be made" => "无法生成 {0} GB 的日志";
        "--gb takes a number from 0.001 to 10000" => "--gb 的值是 0.001 到 10000 之间的数";
    }
    DrillFailed {
        "{} and {} do not count the same" => "{0} 和 {1} 数出来的结果不一样";
    }
}
