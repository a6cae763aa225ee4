//! The words that head columns and lines.

use cardoon_errors::Language;

/// `english` in `language`; what has no translation stays as it is.
pub(crate) fn word(language: Language, english: &str) -> &str {
    match language {
        Language::English => english,
        Language::Chinese => {
            WORDS.iter().find(|(known, _)| *known == english).map_or(english, |(_, chinese)| chinese)
        }
    }
}

/// `word  value`, with the value in column `width` whatever the language.
pub(crate) fn labelled(language: Language, english: &str, width: usize, value: &str) -> String {
    let label = word(language, english);
    let taken: usize = label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{label}{} {value}", " ".repeat(width.saturating_sub(taken)))
}

const WORDS: &[(&str, &str)] = &[
    // Columns.
    ("ID", "ID"),
    ("TASK", "任务"),
    ("QUEUE", "队列"),
    ("STATE", "状态"),
    ("ATTEMPT", "尝试"),
    ("SINCE", "时间"),
    ("WORKER", "worker"),
    ("PRIORITY", "优先级"),
    ("SENT", "发送时间"),
    ("ARGUMENTS", "参数"),
    ("READY", "就绪"),
    ("DELAYED", "延迟"),
    ("HELD", "已取走"),
    ("DEAD", "死信"),
    ("WORKERS", "worker 数"),
    ("OLDEST", "最长等待"),
    ("PID", "PID"),
    ("VERSION", "版本"),
    ("QUEUES", "队列"),
    ("TASKS", "任务数"),
    ("SLOTS", "执行槽"),
    ("HEARTBEAT", "上次心跳"),
    ("TOLD", "指令"),
    ("SCOPES", "权限"),
    ("paused", "已暂停"),
    ("ENDED", "记为失败"),
    ("REFUSED", "被拒绝"),
    ("LEFT", "剩余"),
    ("REASON", "原因"),
    ("DIED", "时间"),
    ("DETAIL", "详情"),
    ("IT WAS", "撤销前"),
    ("CODE", "代码"),
    ("KIND", "类别"),
    ("MEANING", "含义"),
    ("SETTING", "设置"),
    ("VALUE", "值"),
    ("ORIGIN", "来源"),
    ("MEASURE", "指标"),
    ("NAME", "名称"),
    ("SCHEDULE", "周期"),
    ("NEXT", "下一次"),
    ("THEN", "之后"),
    ("BUSY", "执行中"),
    ("PER SECOND", "每秒"),
    ("UP", "已运行"),
    ("FILE", "文件"),
    ("FREE", "空闲"),
    ("LOG", "日志"),
    // What `task get` and `dead show` tell.
    ("id", "ID"),
    ("task", "任务"),
    ("state", "状态"),
    ("args", "参数"),
    ("kwargs", "命名参数"),
    ("queue", "队列"),
    ("place", "位置"),
    ("sent", "发送于"),
    ("progress", "进度"),
    ("ended", "结束于"),
    ("result", "结果"),
    ("failure", "失败原因"),
    ("dead", "死信"),
    ("run", "运行"),
    ("reason", "原因"),
    ("detail", "详情"),
    ("attempt", "尝试"),
    ("deaths", "死亡次数"),
    ("died", "时间"),
    ("type", "内容类型"),
    ("headers", "消息头"),
    ("body", "消息体"),
    // What `db` tells.
    ("layout", "布局"),
    ("file", "文件"),
    ("free", "空闲"),
    ("log", "日志"),
    ("verdict", "结论"),
    ("before", "之前"),
    ("after", "之后"),
    // Where a task is, and what it did when it was revoked.
    ("ready", "就绪"),
    ("delayed", "延迟"),
    ("held", "已取走"),
    ("waiting", "在等待"),
    ("over", "已结束"),
    ("unknown", "未知"),
    // What `bench` and `demo` measure.
    ("store", "存储"),
    ("results", "结果"),
    ("tasks", "任务数"),
    ("send, per second", "每秒发送"),
    ("drain, per second", "每秒执行"),
    ("send to result, p50", "从发送到结果，p50"),
    ("send to result, p99", "从发送到结果，p99"),
    ("send to result, max", "从发送到结果，最长"),
    ("time", "用时"),
    ("speed-up", "加速比"),
    ("in the sink", "已收到"),
    ("duplicates", "重复"),
    ("lost", "丢失"),
    ("killed", "被杀"),
    ("database", "数据库"),
    // What `doctor` checks.
    ("settings", "设置"),
    ("application", "应用"),
    ("broker", "消息存储"),
    ("url", "URL"),
    ("sentinel", "哨兵"),
    ("name", "主机名"),
    ("running", "运行"),
    ("address", "地址端口"),
    ("answers", "响应"),
    ("tls", "TLS"),
    ("version", "版本"),
    ("login", "登录"),
    ("role", "角色"),
    ("persistence", "落盘"),
    ("eviction", "淘汰策略"),
    ("memory", "内存"),
    ("writes", "可写"),
    ("clock", "时钟"),
    ("workers", "worker"),
    ("celery", "Celery"),
    ("file-system", "文件系统"),
    ("folder", "目录"),
    ("room", "磁盘空间"),
    ("owner", "归属"),
    ("integrity", "完整性"),
    ("library", "SQLite 库"),
    ("alive", "在线"),
    ("queues", "队列"),
    ("task-names", "任务名"),
    ("leases", "租约"),
    // What `migrate` copied.
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column_in_both_languages() {
        assert_eq!(labelled(Language::English, "lost", 11, "0"), "lost        0");
        assert_eq!(labelled(Language::Chinese, "lost", 11, "0"), "丢失        0");
    }

    #[test]
    fn no_word_is_translated_twice() {
        for (index, (word, _)) in WORDS.iter().enumerate() {
            assert!(WORDS[index + 1..].iter().all(|(other, _)| other != word), "{word}");
        }
    }
}
