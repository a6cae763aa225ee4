use super::words::{Words, seconds};
use super::{Bar, Chapter, Plot, Tone};
use crate::verify::{Consistency, Sum};

pub(super) fn tell(it: &Consistency, words: Words) -> Chapter {
    let title = words.say(
        "Consistency: is a record right that two nodes change at the same time?",
        "一致性：两个节点同时改一条记录，结果对吗？",
    );
    let (right, naive) = (&it.compare_and_set, &it.naive);
    let mut chapter = Chapter::new(title, Some(it.passed()), verdict(it, words));
    let name = words.say("compare-and-set", "比较后写入");
    chapter.figure(&name, line(right, words));
    let again = words.say(
        format!("{} times, since the other node was first", right.conflicts),
        format!("{} 次，因为另一个节点抢先写了", right.conflicts),
    );
    chapter.figure(words.say("  read again", "  重读"), again);
    chapter.figure(words.say("read, then write", "先读后写"), line(naive, words));
    chapter.figure(words.say("  lost updates", "  丢失的更新"), naive.lost.to_string());
    chapter.plots.push(plot(it, words));
    chapter.how = vec![how(right, words)];
    chapter
}

fn verdict(it: &Consistency, words: Words) -> String {
    let (right, lost) = (&it.compare_and_set, it.naive.lost);
    if !it.passed() {
        let (sum, expected) = (right.sum, right.expected);
        return words.say(
            format!(
                "With compare-and-set the sum is {sum} and must be {expected}: the store has lost updates."
            ),
            format!("用比较后写入得到 {sum}，应该是 {expected}：存储弄丢了更新。"),
        );
    }
    let naive = match lost {
        0 => words.say(
            "Without it the nodes did not get in each other's way this time, which was luck.",
            "不用它这次恰好也没有互相覆盖，这是运气。",
        ),
        lost => words.say(
            format!("Without it {lost} of {} updates were written over.", it.naive.expected),
            format!("不用它，{} 次更新里有 {lost} 次被覆盖。", it.naive.expected),
        ),
    };
    words.say(
        format!("With compare-and-set the sum is right. {naive}"),
        format!("用比较后写入，结果正确。{naive}"),
    )
}

fn line(sum: &Sum, words: Words) -> String {
    let Sum { sum, expected, took_ms, .. } = sum;
    let took = seconds(*took_ms);
    words.say(format!("{sum} of {expected}, in {took}"), format!("{sum}，应为 {expected}，用了 {took}"))
}

fn plot(it: &Consistency, words: Words) -> Plot {
    let bar = |label, sum: u64, tone| Bar::new(label, sum as f64, sum.to_string(), tone);
    let (right, naive) = (&it.compare_and_set, &it.naive);
    let tone = |sum: &Sum| if sum.sum == sum.expected { Tone::Measured } else { Tone::Bad };
    Plot {
        title: words.say("What the counter came to", "计数器的结果"),
        bars: vec![
            bar(words.say("as it must be", "应该是"), right.expected, Tone::Ideal),
            bar(words.say("compare-and-set", "比较后写入"), right.sum, tone(right)),
            bar(words.say("read, then write", "先读后写"), naive.sum, tone(naive)),
        ],
    }
}

fn how(sum: &Sum, words: Words) -> String {
    let Sum { nodes, each, .. } = sum;
    words.say(
        format!(
            "{nodes} processes add one to the same record {each} times each, at the same time. Compare-and-set writes only if \
             nobody has written since the record was read, and reads again otherwise. The other way writes in any case: who \
             read the same number writes over what the other has added."
        ),
        format!(
            "{nodes} 个进程同时对同一条记录加一，各加 {each} 次。比较后写入（compare-and-set）只在读过之后没有别人写过时才写，\
             否则重读再来；先读后写则不做检查，直接写入，两边读到同一个数时，一边加的就被另一边覆盖了。"
        ),
    )
}
