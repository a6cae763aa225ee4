use std::collections::HashMap;

use cardoon_core::QueueName;
use cardoon_errors::{Language, Result};
use serde::Serialize;

use super::is_chosen;
use super::mover::Count;
use crate::output::{Table, labelled};
use crate::stores::Stores;

/// What is moved, or was.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(rename = "queues")]
    pub(super) rows: Vec<Row>,
    /// Copied results of ended tasks.
    pub(super) results: u64,
}

/// A queue in messages.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) queue: QueueName,
    pub(super) ready: u64,
    pub(super) delayed: u64,
    pub(super) dead: u64,
    /// What the target did not take.
    pub(super) refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    /// What is still in the source.
    pub(super) left: u64,
}

impl Report {
    /// What there is to move.
    pub(super) async fn of_source(source: &Stores, chosen: &[QueueName], dead: bool) -> Result<Self> {
        let stats = source.broker.inspect().queues().await?.into_iter();
        let row = |stats: cardoon_broker::QueueStats| Row {
            queue: stats.queue,
            ready: stats.ready,
            delayed: stats.delayed,
            dead: if dead { stats.dead } else { 0 },
            refused: 0,
            refusal: None,
            left: stats.ready + stats.delayed + stats.held,
        };
        let rows = stats.filter(|stats| is_chosen(chosen, &stats.queue)).map(row).collect();
        Ok(Self { rows, results: 0 })
    }

    pub(super) fn queues(&self) -> Vec<QueueName> {
        self.rows.iter().map(|row| row.queue.clone()).collect()
    }

    /// Messages that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.rows.iter().map(|row| row.ready + row.delayed).sum()
    }

    pub(super) fn row(&mut self, queue: &QueueName) -> &mut Row {
        let place = self.rows.iter().position(|row| row.queue == *queue).unwrap_or_else(|| {
            let queue = queue.clone();
            self.rows.push(Row { queue, ready: 0, delayed: 0, dead: 0, refused: 0, refusal: None, left: 0 });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// The same queues with what was moved.
    pub(super) fn with(mut self, counts: HashMap<QueueName, Count>) -> Self {
        for row in &mut self.rows {
            (row.ready, row.delayed, row.dead) = (0, 0, 0);
        }
        for (queue, count) in counts {
            let row = self.row(&queue);
            (row.ready, row.delayed, row.refused) = (count.ready, count.delayed, count.refused);
            row.refusal = count.refusal;
        }
        self
    }

    /// Looks what is still in the source.
    pub(super) async fn look_what_is_left(&mut self, source: &Stores, dead: bool) -> Result<()> {
        self.rows.iter_mut().for_each(|row| row.left = 0);
        for stats in source.broker.inspect().queues().await? {
            if let Some(row) = self.rows.iter_mut().find(|row| row.queue == stats.queue) {
                row.left = stats.ready + stats.delayed + stats.held + if dead { stats.dead } else { 0 };
            }
        }
        Ok(())
    }

    pub(super) fn render(&self, language: Language) -> String {
        let mut table = Table::new(&["QUEUE", "READY", "DELAYED", "DEAD", "REFUSED", "LEFT"]);
        for column in 1..=5 {
            table = table.right(column);
        }
        for row in &self.rows {
            let counts = [row.ready, row.delayed, row.dead, row.refused, row.left];
            table.row(std::iter::once(row.queue.to_string()).chain(counts.iter().map(ToString::to_string)));
        }
        let results = match self.results {
            0 => String::new(),
            copied => format!("\n{}", labelled(language, "results", 8, &copied.to_string())),
        };
        table.render(language) + &results
    }
}
