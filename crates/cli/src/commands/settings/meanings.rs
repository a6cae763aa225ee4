//! What the settings mean, in Chinese too.

use cardoon_errors::Language;
use cardoon_settings::Entry;

pub(super) fn of(entry: &Entry, language: Language) -> &'static str {
    match language {
        Language::English => entry.description,
        Language::Chinese => chinese(entry.name).unwrap_or(entry.description),
    }
}

fn chinese(name: &str) -> Option<&'static str> {
    Some(match name {
        "broker.url" => "消息存储的 URL；`none` 表示项目目录里的数据库。",
        "broker.password" | "results.password" => "URL 里没有密码时使用的密码；最好放在单独的文件里。",
        "results.url" => "结果存储的 URL；`none` 表示和消息存在一起。",
        "worker.name" => "worker 的名字，给人看的；`none` 表示由主机名和进程号组成。",
        "worker.queues" => "轮流从这些队列取任务。",
        "worker.concurrency" => "同时执行多少个任务；`none` 表示和处理器核数相同。",
        "worker.grace" => "收到第一个信号之后，正在执行的任务还有多少时间完成。",
        "worker.lease" => "worker 沉默超过这个时间，它的租约就转给别的 worker。",
        "worker.heartbeat" => "worker 每隔多久报告一次自己还在；最多是租约的三分之一。",
        "worker.soft_time_limit" => "任务执行超过这个时间会收到通知；任务自己设置的限制优先。",
        "worker.time_limit" => "任务执行超过这个时间会被终止；任务自己设置的限制优先。",
        "worker.ack" => "什么时候确认任务；任务自己的设置优先。",
        "worker.events" => "没有人监听时也发布事件。",
        "retry.max" => "第一次尝试之后最多再试几次；0 表示不重试。",
        "retry.base" => "第一次重试之前的间隔；以后每次加倍。",
        "retry.cap" => "间隔最长不超过这个时间。",
        "retry.jitter" => "在零和完整间隔之间随机取值。",
        "retention.results" => "结果保留多久。",
        "retention.dead" => "死信保留多久。",
        "retention.history" => "执行历史保留多久。",
        "retention.redis_history" => "在 Redis 上也保留执行历史；每批结束的执行要多一次往返，也多占内存。",
        "limits.message_size" => "消息解码之后的最大长度。",
        "limits.message_depth" => "消息里 JSON 的最大嵌套层数。",
        "gateway.listen" => "网关监听的地址和端口。",
        "gateway.tokens" => "存放令牌的文件；`none` 表示项目数据库旁边的 `tokens.json`。",
        "gateway.body_limit" => "请求体的最大长度。",
        "gateway.connections" => "同时最多有多少个连接，再多的会被拒绝。",
        "log.level" => {
            "至少多重要的日志才输出；`none` 表示由命令决定：worker 和 beat 是 `info`，其他命令是 `warn`。"
        }
        "log.format" => "日志的格式：`pretty` 给人看，`json` 每行一个 JSON 对象。",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_meaning_in_chinese() {
        for definition in cardoon_settings::Settings::TABLE {
            assert!(chinese(definition.name).is_some(), "{}", definition.name);
        }
    }
}
