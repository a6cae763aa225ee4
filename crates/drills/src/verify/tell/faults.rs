use super::words::{Words, seconds};
use super::{Bar, Chapter, Plot, Tone};
use crate::verify::{Fault, Faults, Skipped};

pub(super) fn tell(it: &Faults, words: Words) -> Chapter {
    let title =
        words.say("Fault tolerance: is anything lost when workers die?", "容错：worker 死掉时会丢任务吗？");
    let mut chapter = Chapter::new(title, it.passed(), verdict(it, words));
    chapter.figure(words.say("faults", "故障"), faults(it, words));
    let sent = words.say(
        format!("{} sent, {} executed", it.sent, it.executed),
        format!("发送 {}，执行完 {}", it.sent, it.executed),
    );
    chapter.figure(words.say("tasks", "任务"), sent);
    chapter.figure(words.say("lost", "丢失"), it.lost.to_string());
    if !it.witnessed {
        chapter.figure(words.say("failed", "失败"), it.failed.to_string());
    }
    chapter.figure(words.say("false rescues", "误判（worker 还活着就被接管）"), it.false_rescues.to_string());
    if it.witnessed {
        chapter.figure(words.say("done twice", "重复执行"), it.duplicates.to_string());
    }
    chapter.figure(words.say("running at kills", "被杀时正在执行"), it.running_at_kills.to_string());
    if let Some((median, longest)) = it.second_run_p50_ms.zip(it.second_run_max_ms) {
        let value = words.say(
            format!("{} (half of them), {} (the last)", seconds(median), seconds(longest)),
            format!("中位数 {}，最长 {}", seconds(median), seconds(longest)),
        );
        chapter.figure(words.say("began again after", "多久后重新开始"), value);
    }
    for skipped in &it.skipped {
        chapter.figure(words.say("not done", "没有做"), skipped_in_words(*skipped, words));
    }
    chapter.plots = plots(it, words);
    chapter.how = how(it, words);
    chapter
}

fn verdict(it: &Faults, words: Words) -> String {
    if it.lost > 0 {
        let (lost, sent) = (it.lost, it.sent);
        let why = if it.early {
            words.say(
                " They were acknowledged before they ran, so nobody knew of them when their worker died.",
                "这些任务在执行之前就确认了，worker 一死就没有人知道它们。",
            )
        } else {
            String::new()
        };
        return words.say(
            format!("{lost} of {sent} tasks were lost.{why}"),
            format!("{sent} 个任务丢了 {lost} 个。{why}"),
        );
    }
    if it.false_rescues > 0 {
        let robbed = it.false_rescues;
        return words.say(
            format!("No task was lost, but {robbed} were given to others although their worker lived."),
            format!("没有丢任务，但有 {robbed} 个任务在 worker 还活着时被别的 worker 拿走了。"),
        );
    }
    if it.failed > 0 {
        let failed = it.failed;
        return words.say(
            format!("No task was lost, but {failed} of your tasks failed."),
            format!("没有丢任务，但你的任务失败了 {failed} 个。"),
        );
    }
    if it.passed().is_none() {
        return words.say(
            "Not judged: no fault has met a task that ran, so nothing is proven.",
            "不评判：没有一次故障碰上正在执行的任务，什么也说明不了。",
        );
    }
    of_good(it.kills(), words)
}

fn of_good(kills: usize, words: Words) -> String {
    let often = match kills {
        0 => {
            return words.say(
                "No worker was killed. Living workers kept their tasks.",
                "没有强杀 worker。活着的 worker 手上的任务没有被拿走。",
            );
        }
        1 => " once".to_owned(),
        kills => format!(" {kills} times"),
    };
    words.say(
        format!("No task was lost although workers were killed{often}, and living workers kept their tasks."),
        format!("worker 被杀了 {kills} 次，一个任务都没有丢；活着的 worker 手上的任务也没有被拿走。"),
    )
}

fn faults(it: &Faults, words: Words) -> String {
    let name = |fault: Fault| match fault {
        Fault::Kill => words.say("killed (SIGKILL)", "强杀（SIGKILL）"),
        Fault::Pause => words.say("paused (SIGSTOP)", "暂停（SIGSTOP）"),
        Fault::Restart => words.say("restarted (SIGTERM)", "重启（SIGTERM）"),
        Fault::Cut => words.say("cut off from the server", "断开与服务器的连接"),
    };
    let counts = it.counts();
    let each = counts.iter().map(|(fault, times)| {
        words.say(format!("{} {times} x", name(*fault)), format!("{} {times} 次", name(*fault)))
    });
    each.collect::<Vec<_>>().join(&words.say(", ", "，"))
}

fn skipped_in_words(skipped: Skipped, words: Words) -> String {
    match skipped {
        Skipped::NoConnections => words.say(
            "cutting connections: a file has none",
            "断开连接：数据库是文件，没有连接可断",
        ),
        Skipped::NoProxy => words.say(
            "cutting connections: no proxy can stand before TLS, a socket, sentinels, or a server that refuses another connection",
            "断开连接：TLS、套接字、哨兵或拒绝新连接的服务器前面放不了代理",
        ),
        Skipped::TooShort => words.say(
            "some faults: your task is too short to be met by one",
            "部分故障：你的任务太短，故障碰不上",
        ),
    }
}

fn plots(it: &Faults, words: Words) -> Vec<Plot> {
    let tasks = |label: String, count: u64, tone| Bar::new(label, count as f64, count.to_string(), tone);
    let counted = Plot {
        title: words.say("Tasks", "任务数"),
        bars: vec![
            tasks(words.say("sent", "发送"), it.sent, Tone::Ideal),
            tasks(words.say("executed", "执行完"), it.executed, Tone::Measured),
            tasks(words.say("lost", "丢失"), it.lost, Tone::Bad),
            tasks(words.say("false rescues", "误判"), it.false_rescues, Tone::Bad),
        ],
    };
    let kills = it.rounds.iter().filter(|round| round.fault == Fault::Kill).enumerate();
    let bars: Vec<Bar> = kills
        .filter_map(|(index, round)| {
            let last = *round.second_run_ms.iter().max()?;
            let label = words.say(format!("kill {}", index + 1), format!("第 {} 次强杀", index + 1));
            Some(Bar::new(label, last as f64 / 1000.0, seconds(last), Tone::Measured))
        })
        .collect();
    let title =
        words.say("From a kill until the last of its tasks ran again", "从强杀到手上最后一个任务重新开始");
    let again = (!bars.is_empty()).then_some(Plot { title, bars });
    std::iter::once(counted).chain(again).collect()
}

fn how(it: &Faults, words: Words) -> Vec<String> {
    let counted = if it.witnessed {
        words.say(
            "Each task appends a line to a file when it starts and when it is done. The counts come from that file, not from \
             the store that is tested.",
            "每个任务在开始和完成时各往一个文件里追加一行，数字来自这个文件，而不是被测的存储。",
        )
    } else {
        words.say(
            "The counts come from the records of the store itself, because your own task has no witness.",
            "你自己的任务没有独立的见证，数字来自存储自己的记录。",
        )
    };
    vec![
        words.say(
            "Before each fault the workers are given tasks, and it strikes while one of these runs. A killed or ended worker is \
             replaced at once.",
            "每次故障之前先给 worker 发一批任务，在任务执行到一半时动手。被杀或退出的 worker 马上换一个新的。",
        ),
        counted,
        words.say(
            "A false rescue is a task that another worker began although its own one lived: paused for less than its lease, \
             ending in order, or cut off for a moment. A task that its worker had done and not yet reported when it was killed \
             is done twice: at least once is the promise, not a single time.",
            "“误判”指任务原来的 worker 还活着（暂停时间短于租约、正在优雅关闭、连接断了一下），任务却被别的 worker 重新开始。\
             如果 worker 做完任务、还没来得及上报就被杀，任务会再做一遍：承诺的是至少执行一次，不是只执行一次。",
        ),
    ]
}
