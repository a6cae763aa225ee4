//! The table of codes. A code's number never changes its meaning; a retired number is not used again.
//!
//! Each code has a page in English and in Chinese, `pages/{en,zh}/CD####.md`; without them this does not compile.

use std::fmt;
use std::str::FromStr;

use crate::Kind;

macro_rules! codes {
    ($($number:literal $name:ident $kind:ident $title:literal;)*) => {
        /// The code of an error: `CD` and four digits, each with a page in `pages/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`CD", $number, "`: ", $title)] $name = $number,)*
        }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// What went wrong, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            pub(crate) fn page_in_english(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../pages/en/CD", $number, ".md")),)* }
            }

            pub(crate) fn page_in_chinese(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../pages/zh/CD", $number, ".md")),)* }
            }
        }
    };
}

codes! {
    // 10xx: reaching a store, whatever its technology
    1001 Unreachable       Unavailable "the store cannot be reached";
    1002 UnknownScheme     Invalid     "no store answers to this URL scheme";
    1003 FeatureMissing    Invalid     "this build has no adapter for the URL";
    1004 BadUrl            Invalid     "the URL cannot be read";
    1005 NoAnswer          Timeout     "the store did not answer in time";
    1006 StoreClosed       Closed      "the store was closed";
    1007 Unsupported       Invalid     "the store cannot do this";
    1008 NameNotFound      Unavailable "the server's name is not known";
    1009 WrongPort         Unavailable "the server listens on another port";
    1010 OtherService      Unavailable "something else answers at the address";
    1011 OwnContainer      Unavailable "localhost is this container itself";
    1012 ClocksDiffer      Invalid     "the clocks of two machines differ";
    // 11xx: SQLite
    1101 CannotOpenFile    Unavailable "the database file cannot be opened";
    1102 NotOurDatabase    Data        "the database file belongs to something else";
    1103 NewerLayout       Data        "the database file was written by a newer Cardoon";
    1104 NetworkFilesystem Invalid     "the database file is on a network file system";
    1105 SqliteTooOld      Internal    "this SQLite library has a known corruption bug";
    1106 UsedAfterFork     Internal    "the database handle was carried across a fork";
    1107 DiskFull          Unavailable "the disk is full";
    1108 ReadOnly          Unavailable "the database file cannot be written";
    1109 FileGone          Unavailable "the database file was removed or replaced";
    1110 DatabaseBusy      Unavailable "another program holds the database lock";
    1111 Corrupt           Data        "the database file is damaged";
    1112 NoDatabase        NotFound    "there is no database yet";
    1113 RowsContradict    Data        "rows of the database contradict each other";
    1114 NotEnoughRoom     Unavailable "the disk has not enough room";
    1115 LogTooLong        Unavailable "the write-ahead log of the database does not shrink";
    // 12xx: Redis
    1201 RedisTooOld       Invalid     "the Redis server is older than 6.2";
    1202 RedisFull         Unavailable "the Redis server takes no more data";
    1203 RedisWrongType    Unavailable "a key in Redis holds something else";
    1204 RedisReadOnly     Unavailable "the Redis server is a replica";
    1205 RedisDenied       Unavailable "the Redis server refuses the user or the command";
    1206 RedisNewerLayout  Data        "the keys in Redis were written by a newer Cardoon";
    1207 RedisCluster      Invalid     "the Redis server is part of a cluster";
    1208 RedisCertificate  Unavailable "the Redis server's certificate is not trusted";
    1209 RedisTls          Unavailable "one side speaks TLS and the other does not";
    1210 RedisProtected    Unavailable "the Redis server is in protected mode";
    1211 RedisNoDatabase   Invalid     "the Redis server has no database of this number";
    1212 RedisLosesTasks   Invalid     "the Redis server's settings can lose tasks";
    1213 OtherDatabase     Invalid     "the workers are in another database of the server";
    // 20xx: messages
    2001 BadMessage        Data        "the bytes are no task message";
    2002 TooLarge          Invalid     "the message is larger than the limit";
    2003 ContentRefused    Data        "the content type is not accepted";
    2004 BadArguments      Invalid     "the arguments do not fit the task";
    2005 BadName           Invalid     "this cannot be a task id or a queue name";
    2006 NotSerializable   Invalid     "a value cannot be written as JSON";
    2007 BadResult         Data        "the bytes are no result of a task";
    // 30xx: tasks and workers
    3001 TaskFailed        Failed      "the task failed";
    3002 TaskRevoked       Failed      "the task was revoked";
    3003 WaitTimedOut      Timeout     "the task did not end in time";
    3004 UnknownId         NotFound    "no task has this id";
    3005 NoSuchTask        Invalid     "no task of this name is registered";
    3006 StateMissing      Invalid     "a task needs a state that the worker was not given";
    3007 LeaseLost         Conflict    "the lease is not held any more";
    3008 DuplicateTask     Invalid     "two tasks have the same name";
    3009 NoTasks           Invalid     "the worker has no tasks";
    3010 NoIsolation       Invalid     "tasks cannot be isolated in processes here";
    3011 MessageNotKept    Invalid     "the message of an ended task is not kept";
    3012 NotStored         Data        "the store refuses how a task ended";
    3013 WorkersAlive      Conflict    "workers are alive that must not be";
    3014 QueuePaused       Conflict    "the queue is paused";
    3015 NoSuchWorker      NotFound    "no worker of this name is alive";
    3016 NoWorker          Unavailable "no worker takes from the queue";
    3017 HeldByDead        Unavailable "a worker that is gone holds messages";
    3018 BesideCelery      Invalid     "a worker of Celery cannot honour what waits";
    3019 NobodyLives       Failed      "no such worker lives";
    // 40xx: settings and commands
    4001 UnknownSetting    Invalid     "no setting has this name";
    4002 BadSetting        Invalid     "the value of a setting cannot be read";
    4003 BadSettingsFile   Invalid     "cardoon.toml cannot be read";
    4004 BadInput          Invalid     "a command's input cannot be read";
    4005 NoSuchCode        NotFound    "no error has this code";
    4006 NeedsYes          Invalid     "the command destroys data and was not confirmed";
    4007 OutputFailed      Failed      "the output cannot be written";
    4008 BadSecretFile     Invalid     "the file of a secret cannot be used";
    // 50xx: drills
    5001 MailsMissing      Failed      "mails are missing";
    5002 DrillFailed       Failed      "a drill could not be carried out";
    // 60xx: Python applications
    6001 AppImport         Invalid     "the application cannot be imported";
    6002 NoChildren        Unavailable "processes for Python tasks cannot be started";
    6003 NoSuchPool        Invalid     "there is no such pool";
    6004 NoPythonWorker    Invalid     "Python workers do not run on this platform";
    // 70xx: the gateway
    7001 TokenNeeded       Invalid     "the gateway needs a token that it knows";
    7002 ScopeMissing      Invalid     "the token does not allow this";
    7003 CrossSite         Invalid     "the request comes from another site";
    7004 KeyReused         Conflict    "the idempotency key belongs to another request";
    7005 BadRequest        Invalid     "the request cannot be read";
    7006 NoSuchPath        NotFound    "the gateway has nothing under this path";
    7007 OpenAddress       Invalid     "others could reach the gateway and it has no token";
    7008 CannotListen      Unavailable "the address cannot be listened on";
    7009 BadTokenFile      Invalid     "the file of the tokens cannot be used";
    7010 RequestTimedOut   Timeout     "the request took too long";
    // 80xx: data
    8001 NoFiles           NotFound    "no file matches the path";
    8002 NoFormat          Invalid     "what the files are is not known";
    8003 ColumnsDiffer     Data        "the files have different columns";
    8004 NoSuchColumn      Invalid     "no column has this name";
    8005 BadRow            Data        "a row of a file cannot be read";
    8006 ValueDisagrees    Data        "a value does not fit its column";
    8007 NotUtf8           Data        "a file is not in UTF-8";
    8008 EmptyFile         Data        "a file is empty";
    8009 FileChanged       Conflict    "a file changed while it was read";
    8010 FileUnreadable    Unavailable "a file cannot be read";
    8011 BadQuery          Invalid     "the query cannot be understood";
    8012 MemoryTooSmall    Invalid     "the memory limit is too small";
    8013 OutOfMemory       Failed      "the query needs more memory than it may use";
    8014 SpillFull         Unavailable "the disk for spilled data is full";
    8015 QueryFailed       Failed      "the query failed";
    8016 OutsideRoots      Invalid     "the query reads outside of the allowed folders";
    8017 NoDataProgram     Unavailable "the program for data is not installed";
    8018 OutputTaken       Conflict    "the output exists already";
    8019 NoCluster         Unavailable "the cluster cannot be reached";
    8020 OtherCluster      Invalid     "the cluster runs another version";
    8021 NotShared         Invalid     "an executor does not see the file";
    8022 NoExecutors       Unavailable "the cluster has no executors";
    8023 ExecutorsLost     Unavailable "executors were lost";
    8024 ClusterDenied     Unavailable "the cluster refuses the token";
    8025 NoPython          Invalid     "functions of Python are not carried out here";
    8026 FunctionRaised    Failed      "a function of Python raised an exception";
    8027 ChildDied         Failed      "the process of a function died again and again";
    8028 OtherColumns      Invalid     "a function made other columns than was said";
    8029 OtherPython       Invalid     "a function was made by another version of Python";
    8030 StoreDenied       Invalid     "the object store refuses the access";
    8031 NoSuchBucket      NotFound    "the bucket does not exist";
    8032 StoreAway         Unavailable "the object store does not answer";
    8033 BadStoreOptions   Invalid     "the URL or the options of an object store are not right";
    8034 OptionsOnCluster  Invalid     "storage options are not sent to executors";
    8040 BrokenFile        Data        "a file is broken";
    8041 NestedInCsv       Invalid     "CSV has no place for nested columns";
    // 90xx
    9001 Internal          Internal    "something in Cardoon broke its own rules";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CD{:04}", *self as u16)
    }
}

impl FromStr for Code {
    type Err = ();

    /// Reads `CD1101`, `cd1101` and `1101`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.trim().trim_start_matches(['c', 'C', 'd', 'D']);
        let number: u16 = digits.parse().map_err(|_| ())?;
        Self::ALL.iter().copied().find(|code| *code as u16 == number).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_written() {
        for code in Code::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
        }
        assert_eq!("cd1107".parse(), Ok(Code::DiskFull));
        assert_eq!("CD9999".parse::<Code>(), Err(()));
    }
}
