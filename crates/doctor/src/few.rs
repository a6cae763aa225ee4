use cardoon_errors::{Finding, Report};

/// Things in the same trouble that are told of singly.
const SINGLY: usize = 5;

/// Tells of the first things in some trouble singly, and of the others together: a list of hundreds is read by nobody.
pub(crate) fn report<T>(
    things: &[T],
    singly: impl Fn(&T) -> Finding,
    together: impl Fn(&[T]) -> Finding,
    report: Report<'_>,
) {
    let (first, further) = things.split_at(things.len().min(SINGLY));
    first.iter().map(singly).for_each(&mut *report);
    if !further.is_empty() {
        report(together(further));
    }
}
