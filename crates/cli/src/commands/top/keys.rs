//! What keys mean, and the thread that reads them.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc::{Receiver, channel};

/// How soon the thread notices that nobody listens any more.
const GLANCE: Duration = Duration::from_millis(100);

/// What somebody wants who presses a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Quit,
    Pause,
    NextPane,
    LastPane,
    NextColumn,
    LastColumn,
    Reverse,
    Down,
    Up,
    /// The terminal has another size.
    Redraw,
}

/// What an event of the terminal asks for; `None` if nothing.
pub(super) fn wish(event: &Event) -> Option<Wish> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key),
        Event::Resize(..) => Some(Wish::Redraw),
        _ => None,
    }
}

fn of_key(key: KeyEvent) -> Option<Wish> {
    Some(match key.code {
        // A terminal in raw mode sends no signal.
        KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Wish::Quit,
        KeyCode::Char('q') | KeyCode::Esc => Wish::Quit,
        KeyCode::Char('p' | ' ') => Wish::Pause,
        KeyCode::Char('r') => Wish::Reverse,
        KeyCode::Tab => Wish::NextPane,
        KeyCode::BackTab => Wish::LastPane,
        KeyCode::Right => Wish::NextColumn,
        KeyCode::Left => Wish::LastColumn,
        KeyCode::Down => Wish::Down,
        KeyCode::Up => Wish::Up,
        _ => return None,
    })
}

/// Wishes as they come, until the receiver is dropped.
pub(super) fn listen() -> Receiver<io::Result<Wish>> {
    let (sender, receiver) = channel(16);
    tokio::task::spawn_blocking(move || {
        while !sender.is_closed() {
            let Some(next) = next_wish().transpose() else { continue };
            let is_broken = next.is_err();
            if sender.blocking_send(next).is_err() || is_broken {
                return;
            }
        }
    });
    receiver
}

fn next_wish() -> io::Result<Option<Wish>> {
    Ok(if event::poll(GLANCE)? { wish(&event::read()?) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Wish> {
        wish(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn every_way_to_leave_leaves() {
        let none = KeyModifiers::NONE;
        for key in [KeyCode::Char('q'), KeyCode::Esc] {
            assert_eq!(pressed(key, none), Some(Wish::Quit));
        }
        assert_eq!(pressed(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Quit));
        assert_eq!(pressed(KeyCode::Char('c'), none), None);
    }

    #[test]
    fn a_key_that_is_let_go_and_a_mouse_mean_nothing() {
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(wish(&Event::Key(released)), None);
        assert_eq!(wish(&Event::FocusLost), None);
        assert_eq!(wish(&Event::Resize(10, 10)), Some(Wish::Redraw));
    }

    #[test]
    fn panes_and_columns_are_walked_both_ways() {
        let none = KeyModifiers::NONE;
        let keys =
            [KeyCode::Tab, KeyCode::BackTab, KeyCode::Right, KeyCode::Left, KeyCode::Down, KeyCode::Up];
        let wishes = keys.map(|key| pressed(key, none).unwrap());
        let both = [Wish::NextPane, Wish::LastPane, Wish::NextColumn, Wish::LastColumn, Wish::Down, Wish::Up];
        assert_eq!(wishes, both);
    }
}
