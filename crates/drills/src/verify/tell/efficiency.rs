use super::words::{Words, percent, seconds};
use super::{Bar, Chapter, Plot, Tone};
use crate::verify::{Efficiency, Limit, Run, Series};

pub(super) fn tell(it: &Efficiency, words: Words) -> Chapter {
    let title = words.say("Efficiency: are several slots faster than one?", "效率：多个执行槽比一个快吗？");
    let mut chapter = Chapter::new(title, Some(it.passed()), verdict(it, words));
    for run in &it.work.runs {
        chapter.figure(words.slots(run), line(&it.work, run, words));
    }
    if let Some(noop) = &it.noop {
        let each = noop.runs.iter().map(|run| format!("{:.0}/s ({})", run.per_second, words.slots(run)));
        let name = words.say("tasks that do nothing", "空任务");
        chapter.figure(name, each.collect::<Vec<_>>().join(", "));
        chapter.figure(words.say("  their limit", "  瓶颈"), limit_in_words(noop.limit, it, words));
    }
    let write = format!("{:.2} ms", it.write_ms);
    chapter.figure(words.say("storing one message", "写入一条消息"), write);
    if let Some(busy) = it.work.runs.last().and_then(|run| run.busy) {
        let value = words.say(
            format!("{} of {} busy, with the most slots", percent(busy), it.processors),
            format!("执行槽最多时 {} 个处理器的占用率为 {}", it.processors, percent(busy)),
        );
        chapter.figure(words.say("processors", "处理器"), value);
    }
    if it.lost + it.failed > 0 {
        chapter.figure(words.say("did not end", "没有结束"), it.lost.to_string());
        chapter.figure(words.say("failed", "失败"), it.failed.to_string());
    }
    chapter.plots.push(plot(&it.work, words));
    chapter.how = how(it, words);
    chapter
}

fn verdict(it: &Efficiency, words: Words) -> String {
    if it.lost + it.failed > 0 {
        let (lost, failed) = (it.lost, it.failed);
        return words.say(
            format!("{lost} tasks did not end and {failed} failed, so the times mean little."),
            format!("有 {lost} 个任务没有结束，{failed} 个失败，这些时间没有意义。"),
        );
    }
    let Some(run) = it.work.runs.last() else { return String::new() };
    let (slots, speed, ideal) = (run.workers * run.slots, run.speed_up, run.ideal);
    let fast = words.say(
        format!("{slots} slots were {speed:.1} times as fast as one; {ideal:.0} times would be ideal."),
        format!("{slots} 个执行槽的速度是一个的 {speed:.1} 倍，理想值是 {ideal:.0} 倍。"),
    );
    let limit = limit_in_words(it.work.limit, it, words);
    words.say(format!("{fast} What limits it: {limit}."), format!("{fast}瓶颈：{limit}。"))
}

fn limit_in_words(limit: Limit, it: &Efficiency, words: Words) -> String {
    match limit {
        Limit::Slots => words.say(
            "the number of slots; more of them, or more workers, would make it faster",
            "执行槽的数量；再加执行槽或 worker 还会更快",
        ),
        Limit::Store => words.say(
            format!("how many messages the store takes and gives; storing one takes {:.2} ms", it.write_ms),
            format!("存储收发消息的速度；写入一条需要 {:.2} ms", it.write_ms),
        ),
        Limit::Processors => words.say(
            format!("the {} processors of this machine, which were busy", it.processors),
            format!("这台机器的 {} 个处理器已经很忙", it.processors),
        ),
        Limit::Unknown => words.say(
            "not the slots, the store or the processors; perhaps something that the tasks share",
            "不是执行槽，不是存储，也不是处理器；也许是任务共用的某个东西",
        ),
    }
}

fn line(series: &Series, run: &Run, words: Words) -> String {
    let (tasks, took) = (series.tasks, seconds(run.took_ms));
    if run.workers * run.slots == 1 {
        let each = series.task_ms.map_or_else(String::new, |each| {
            words.say(format!(" of {each} ms"), format!("（每个 {each} ms）"))
        });
        return words
            .say(format!("{tasks} tasks{each} in {took}"), format!("{tasks} 个任务{each}用了 {took}"));
    }
    let (speed, ideal, share) = (run.speed_up, run.ideal, percent(run.efficiency));
    words.say(
        format!("{took}, {speed:.2} times as fast, ideal {ideal:.0} ({share})"),
        format!("{took}，{speed:.2} 倍，理想 {ideal:.0} 倍（{share}）"),
    )
}

pub(super) fn plot(series: &Series, words: Words) -> Plot {
    let bars = |run: &Run| {
        let label = words.slots(run);
        let ideal = words.say(format!("{label}, ideal"), format!("{label}，理想"));
        [
            Bar::new(label, run.speed_up, format!("{:.2} x", run.speed_up), Tone::Measured),
            Bar::new(ideal, run.ideal, format!("{:.0} x", run.ideal), Tone::Ideal),
        ]
    };
    let title = words.say("Speed-up against one slot", "相对一个执行槽的加速比");
    Plot { title, bars: series.runs.iter().flat_map(bars).collect() }
}

fn how(it: &Efficiency, words: Words) -> Vec<String> {
    let mut how = vec![words.say(
        "The tasks wait in a paused queue until all workers are ready. The time goes from the first start to the last end. \
         The same tasks are executed by one slot, by one worker with several slots, and by several workers.",
        "任务先放进暂停的队列，等所有 worker 就绪后一起开始，时间从第一个任务开始算到最后一个任务结束。\
         同一批任务依次由一个执行槽、一个有多个执行槽的 worker、多个 worker 执行。",
    )];
    how.push(if it.is_judged {
        words.say(
            "The task does nothing but wait, as mails and pages do. It passes if the speed-up is at least half of the ideal.",
            "任务只是等待，就像发邮件、抓网页那样。加速比达到理想值的一半就算通过。",
        )
    } else {
        words.say(
            "It was your own task. If it computes, the processors limit it, and more slots do not help; so the speed-up is not \
             judged. It passes if all tasks succeed.",
            "执行的是你自己的任务。如果它是计算型的，瓶颈在处理器，加执行槽没有用，所以不评判加速比；任务全部成功就算通过。",
        )
    });
    how
}
