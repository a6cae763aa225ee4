//! Drawing the model.

use std::time::Duration;

use cardoon_broker::{Member, QueueStats};
use cardoon_core::{Event, QueueName};
use cardoon_errors::Language;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Borders, Paragraph, Row, Table};

use super::model::{Model, Pane, QUEUE_COLUMNS, WORKER_COLUMNS, busy};
use crate::commands::events;
use crate::language::choose;
use crate::output::{ago, cut, local_time, word};

/// No name is wider.
const NAME: usize = 32;

/// What the model does not know.
pub(super) struct Frames<'a> {
    pub(super) location: &'a str,
    pub(super) language: Language,
}

impl Frames<'_> {
    /// Draws `model` over the whole frame.
    pub(super) fn draw(&self, frame: &mut Frame<'_>, model: &Model) {
        let [head, queues, workers, recent, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Fill(2),
            Constraint::Fill(2),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        frame.render_widget(self.head(model), head);
        self.table(frame, queues, model, Pane::Queues);
        self.table(frame, workers, model, Pane::Workers);
        self.events(frame, recent, model);
        frame.render_widget(Line::from(self.keys()).style(Style::new().add_modifier(Modifier::DIM)), foot);
    }

    fn head(&self, model: &Model) -> Paragraph<'_> {
        let mut text = format!("{}  {}", local_time(model.at), cut(self.location, usize::MAX - 1));
        if model.is_paused {
            text.push_str(choose(self.language, "  [paused]", "  [已暂停]"));
        }
        let style = match &model.trouble {
            Some(trouble) => {
                text = format!("{}  {}", local_time(model.at), cut(trouble, usize::MAX - 1));
                Style::new().fg(Color::Red)
            }
            None => Style::new().add_modifier(Modifier::BOLD),
        };
        Paragraph::new(text).style(style)
    }

    fn keys(&self) -> &'static str {
        choose(
            self.language,
            "q quit  p pause  tab pane  ←→ sort by  r reverse  ↑↓ scroll",
            "q 退出  p 暂停  tab 切换窗格  ←→ 排序列  r 反向  ↑↓ 滚动",
        )
    }

    /// The rows of queues or workers, as wide as they need to be.
    fn table(&self, frame: &mut Frame<'_>, area: Rect, model: &Model, pane: Pane) {
        let (columns, rows): (&[&str], Vec<Vec<String>>) = match pane {
            Pane::Queues => {
                (&QUEUE_COLUMNS, model.queues().iter().map(|row| self.queue(row, model)).collect())
            }
            _ => (&WORKER_COLUMNS, model.workers().iter().map(|row| worker(row, model)).collect()),
        };
        let heads: Vec<String> =
            (0..).zip(columns).map(|(at, name)| self.column(model, pane, at, name)).collect();
        let widths = widths(&heads, &rows);
        let title = match pane {
            Pane::Queues => choose(self.language, "queues", "队列"),
            _ => choose(self.language, "workers", "worker"),
        };
        let header = Row::new(cells(&heads)).style(Style::new().add_modifier(Modifier::BOLD));
        let shown = rows.iter().skip(model.scrolled(pane)).map(|row| Row::new(cells(row)));
        let table = Table::new(shown, widths).header(header).column_spacing(2);
        frame.render_widget(table.block(block(model, pane, title)), area);
    }

    /// The head of a column, marked if it is the one that the rows are sorted by.
    fn column(&self, model: &Model, pane: Pane, column: usize, name: &str) -> String {
        let name = word(self.language, name);
        match model.order(pane).filter(|order| order.column == column) {
            Some(order) if order.reversed => format!("{name}▼"),
            Some(_) => format!("{name}▲"),
            None => name.to_owned(),
        }
    }

    fn events(&self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let line = |event: &Event| {
            Line::from(format!("{} {}", local_time(event.timestamp), events::words(event, self.language)))
        };
        let lines: Vec<Line<'_>> =
            model.recent().skip(model.scrolled(Pane::Events)).take(area.height.into()).map(line).collect();
        let title = choose(self.language, "latest events", "最近的事件");
        frame.render_widget(Paragraph::new(lines).block(block(model, Pane::Events, title)), area);
    }

    fn queue(&self, stats: &QueueStats, model: &Model) -> Vec<String> {
        let paused = if stats.paused { choose(self.language, " (paused)", "（已暂停）") } else { "" };
        vec![
            format!("{}{paused}", cut(stats.queue.as_str(), NAME)),
            stats.ready.to_string(),
            stats.delayed.to_string(),
            stats.held.to_string(),
            stats.dead.to_string(),
            stats.oldest.map(ago).unwrap_or_default(),
            stats.workers.to_string(),
            model.pace(&stats.queue).map(|pace| format!("{pace:.1}")).unwrap_or_default(),
        ]
    }
}

fn worker(worker: &Member, model: &Model) -> Vec<String> {
    let queues: Vec<&str> = worker.queues.iter().map(QueueName::as_str).collect();
    vec![
        cut(&worker.worker, NAME),
        format!("{}/{}", busy(worker), worker.slots),
        cut(&queues.join(","), NAME),
        worker.pid.to_string(),
        ago(Duration::from_secs(model.at.since(worker.since).as_secs())),
        ago(worker.heartbeat_age),
        cut(&worker.version, NAME),
    ]
}

fn block<'a>(model: &Model, pane: Pane, title: &'a str) -> Block<'a> {
    let style = if model.pane == pane { Style::new().fg(Color::Cyan) } else { Style::new() };
    Block::new().borders(Borders::TOP).title(format!(" {title} ")).border_style(style)
}

/// Names stand on the left, all else on the right.
fn cells(texts: &[String]) -> Vec<Text<'static>> {
    let aligned = |(column, text): (usize, &String)| {
        let side = if column == 0 { Alignment::Left } else { Alignment::Right };
        Text::from(text.clone()).alignment(side)
    };
    texts.iter().enumerate().map(aligned).collect()
}

/// As wide as the widest cell; a Chinese character takes two columns.
fn widths(heads: &[String], rows: &[Vec<String>]) -> Vec<Constraint> {
    let width = |text: &str| Line::from(text).width();
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(cell)).chain([width(&heads[column])]).max().unwrap_or_default()
    };
    (0..heads.len()).map(|column| Constraint::Length(widest(column).try_into().unwrap_or(u16::MAX))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::top::keys::Wish;
    use crate::commands::top::model::Snapshot;
    use crate::commands::top::model::tests::{event, queue, worker};
    use cardoon_core::{EventKind, Timestamp};
    use insta::assert_snapshot;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn model() -> Model {
        let mut model = Model::default();
        let busy = QueueStats {
            held: 4,
            dead: 2,
            workers: 1,
            oldest: Some(Duration::from_secs(75)),
            paused: true,
            ..queue("邮件", 120)
        };
        let snapshot =
            || Snapshot { queues: vec![queue("low", 3), busy.clone()], workers: vec![worker("w1", 1)] };
        model.see(snapshot(), Timestamp(1_800_000_060_000), Duration::ZERO);
        model.hear(vec![event(EventKind::TaskSucceeded, "low"); 5]);
        model.see(snapshot(), Timestamp(1_800_000_060_000), Duration::from_secs(2));
        model
    }

    fn drawn(model: &Model, language: Language, width: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, 16)).unwrap();
        let frames = Frames { location: "sqlite:/srv/cardoon.db", language };
        terminal.draw(|frame| frames.draw(frame, model)).unwrap();
        let text = terminal.backend().to_string();
        // Times are local.
        // What a wide character hides is said behind the line.
        let lines = text.lines().map(|line| line.trim_start_matches('"'));
        let lines = lines.map(|line| line.split('"').next().unwrap_or_default().trim_end());
        lines
            .map(|line| {
                line.replace(&local_time(model.at), "NOW")
                    .replace(&local_time(Timestamp(1_800_000_000_000)), "THEN")
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn queues_workers_and_events_stand_below_each_other() {
        assert_snapshot!(drawn(&model(), Language::English, 76), @r"
        NOW  sqlite:/srv/cardoon.db
         queues ────────────────────────────────────────────────────────────────────
        QUEUE▲         READY  DELAYED  HELD  DEAD  OLDEST  WORKERS  PER SECOND
        low                3        0     0     0                0         2.5
        邮件 (paused)    120        0     4     2   1m15s        1         0.0


         workers ───────────────────────────────────────────────────────────────────
        WORKER▲  BUSY  QUEUES   PID  UP  HEARTBEAT  VERSION
        w1        4/4    mail  4711  1m         1s    0.1.0


         latest events ─────────────────────────────────────────────────────────────
        THEN task-succeeded   mail.send on w1
        THEN task-succeeded   mail.send on w1
        q quit  p pause  tab pane  ←→ sort by  r reverse  ↑↓ scroll
        ");
    }

    #[test]
    fn chinese_stands_in_straight_columns_too() {
        assert_snapshot!(drawn(&model(), Language::Chinese, 76), @r"
        NOW  sqlite:/srv/cardoon.db
         队列 ──────────────────────────────────────────────────────────────────────
        队列▲           就绪  延迟  已取走  死信  最长等待  worker 数  每秒
        low                3     0       0     0                    0   2.5
        邮件（已暂停）   120     0       4     2     1m15s          1   0.0


         worker ────────────────────────────────────────────────────────────────────
        worker▲  执行中  队列   PID  已运行  上次心跳   版本
        w1          4/4  mail  4711      1m        1s  0.1.0


         最近的事件 ────────────────────────────────────────────────────────────────
        THEN task-succeeded   mail.send 在 w1 上
        THEN task-succeeded   mail.send 在 w1 上
        q 退出  p 暂停  tab 切换窗格  ←→ 排序列  r 反向  ↑↓ 滚动
        ");
    }

    #[test]
    fn the_head_says_that_the_view_is_paused_or_what_is_wrong() {
        let mut model = model();
        model.obey(Wish::Pause);
        assert!(drawn(&model, Language::English, 76).starts_with("NOW  sqlite:/srv/cardoon.db  [paused]"));
        model.trouble = Some("no answer\u{1b}[2J".into());
        assert!(drawn(&model, Language::English, 76).starts_with("NOW  no answer\\u{1b}[2J"));
    }

    #[test]
    fn names_of_others_reach_the_terminal_without_orders_and_any_size_can_be_drawn() {
        let mut model = Model::default();
        let workers = vec![worker("\u{1b}[31mevil\u{202e}", 1)];
        model.see(Snapshot { queues: Vec::new(), workers }, Timestamp(1), Duration::ZERO);
        let text = drawn(&model, Language::English, 76);
        assert!(text.contains("\\u{1b}[31mevil\\u{202e}"), "{text}");
        for width in [1, 5, 300] {
            drawn(&model, Language::Chinese, width);
        }
    }
}
