use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::line::{Flow, Line};

/// What each connection is to do now.
#[derive(Debug, Default)]
pub(super) struct Switch(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    /// For those that come.
    line: Line,
    next: u64,
    open: BTreeMap<u64, watch::Sender<Order>>,
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Carry(Line),
    /// End both sides with a reset.
    Cut,
}

impl Switch {
    /// A new connection: its number and its orders.
    pub(super) fn open(&self) -> (u64, watch::Receiver<Order>) {
        let mut board = self.board();
        let number = board.next;
        board.next += 1;
        let (order, orders) = watch::channel(Order::Carry(board.line));
        board.open.insert(number, order);
        (number, orders)
    }

    pub(super) fn closed(&self, number: u64) {
        self.board().open.remove(&number);
    }

    pub(super) fn connections(&self) -> Vec<u64> {
        self.board().open.keys().copied().collect()
    }

    pub(super) fn set(&self, line: Line) {
        let mut board = self.board();
        board.line = line;
        board.open.values().for_each(|order| set(order, line));
    }

    pub(super) fn set_one(&self, number: u64, line: Line) {
        if let Some(order) = self.board().open.get(&number) {
            set(order, line);
        }
    }

    pub(super) fn cut(&self) {
        for order in self.board().open.values() {
            order.send_replace(Order::Cut);
        }
    }

    pub(super) fn cut_one(&self, number: u64) {
        if let Some(order) = self.board().open.get(&number) {
            order.send_replace(Order::Cut);
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(order: &watch::Sender<Order>, line: Line) {
    order.send_if_modified(|order| {
        // Bytes are missing from a connection that was lost, so it can never carry again.
        let gone = matches!(order, Order::Cut | Order::Carry(Line { flow: Flow::Lost, .. }));
        if !gone {
            *order = Order::Carry(line);
        }
        !gone
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_stays_lost_until_it_is_cut() {
        let switch = Switch::default();
        let (number, orders) = switch.open();
        switch.set_one(number, Line::LOST);
        switch.set(Line::default());
        assert_eq!(*orders.borrow(), Order::Carry(Line::LOST));
        switch.cut();
        assert_eq!(*orders.borrow(), Order::Cut);
        assert_eq!(*switch.open().1.borrow(), Order::Carry(Line::default()));
        switch.closed(number);
        assert_eq!(switch.connections(), [1]);
    }
}
