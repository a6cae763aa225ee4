use super::words::{Words, seconds};
use super::{Bar, Chapter, Plot, Tone, efficiency};
use crate::verify::{CeleryReport, Report};

pub(super) fn tell(it: &CeleryReport, report: &Report, words: Words) -> Chapter {
    let title = words.say(
        format!("For comparison: Celery {} with its defaults", it.celery),
        format!("对照：默认设置的 Celery {}", it.celery),
    );
    let mut chapter = Chapter::new(title, None, verdict(it, words));
    for run in &it.work.runs {
        let ours = report.efficiency.as_ref().and_then(|ours| {
            ours.work.runs.iter().find(|other| (other.workers, other.slots) == (run.workers, run.slots))
        });
        let theirs = format!("{}, {:.2} x", seconds(run.took_ms), run.speed_up);
        let value = ours.map_or(theirs.clone(), |ours| {
            format!("{theirs}; Cardoon {}, {:.2} x", seconds(ours.took_ms), ours.speed_up)
        });
        chapter.figure(words.slots(run), value);
    }
    let kill = &it.kill;
    let tasks = words.say(
        format!("{} sent, {} executed, {} ran in the killed worker", kill.sent, kill.executed, kill.running),
        format!("发送 {}，执行完 {}，被杀的 worker 正在执行 {} 个", kill.sent, kill.executed, kill.running),
    );
    chapter.figure(words.say("one kill", "强杀一次"), tasks);
    chapter.figure(words.say("lost", "丢失"), kill.lost.to_string());
    let held = words.say(
        format!("{}, not within {} s", kill.held_back, kill.waited_s),
        format!("{} 个，{} 秒内没有重新执行", kill.held_back, kill.waited_s),
    );
    chapter.figure(words.say("held back", "被扣住"), held);
    if let Some(ours) = report.faults.as_ref() {
        let kills = ours.kills();
        let value = words.say(
            format!("{} after {kills} kills", ours.lost),
            format!("强杀 {kills} 次，丢失 {}", ours.lost),
        );
        chapter.figure(words.say("lost by Cardoon", "Cardoon 丢失"), value);
    }
    chapter.plots = vec![efficiency::plot(&it.work, words), plot(it, words)];
    chapter.how = vec![how(it, words)];
    chapter
}

fn verdict(it: &CeleryReport, words: Words) -> String {
    let (lost, held, waited) = (it.kill.lost, it.kill.held_back, it.kill.waited_s);
    words.say(
        format!(
            "After one kill Celery had lost {lost} tasks, and {held} more were not executed within {waited} s. Shown, not judged."
        ),
        format!("强杀一次之后，Celery 丢了 {lost} 个任务，另有 {held} 个在 {waited} 秒内没有重新执行。这里只展示，不评判。"),
    )
}

fn plot(it: &CeleryReport, words: Words) -> Plot {
    let bar = |label: String, count: u64, tone| Bar::new(label, count as f64, count.to_string(), tone);
    let kill = &it.kill;
    Plot {
        title: words.say("Tasks of Celery after one kill", "强杀一次之后 Celery 的任务"),
        bars: vec![
            bar(words.say("sent", "发送"), kill.sent, Tone::Ideal),
            bar(words.say("executed", "执行完"), kill.executed, Tone::Measured),
            bar(words.say("lost", "丢失"), kill.lost, Tone::Bad),
            bar(words.say("held back", "被扣住"), kill.held_back, Tone::Bad),
        ],
    }
}

fn how(it: &CeleryReport, words: Words) -> String {
    let redis = &it.redis;
    words.say(
        format!(
            "Celery {} with redis-py {redis}, on the same server, with its own queue and its own prefix of keys. By default it \
             acknowledges a task before it runs, so what runs in a killed worker is lost; what the worker had fetched and not \
             begun comes back when the visibility timeout has passed, after an hour by default. With task_acks_late what runs \
             comes back then too. One worker and its pool were killed, and replaced.",
            it.celery
        ),
        format!(
            "Celery {}，redis-py {redis}，同一台服务器，用自己的队列和键前缀。默认情况下 Celery 在执行之前就确认任务，\
             所以被杀的 worker 正在执行的任务就丢了；已经取走还没开始的，要等可见性超时（默认一小时）过后才会回来。\
             设置 task_acks_late 后，正在执行的任务也会在那时回来。杀掉的是一个 worker 和它的进程池，随后换了新的。",
            it.celery
        ),
    )
}
