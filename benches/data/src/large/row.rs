use anyhow::Result;

/// One line of the table.
pub(super) struct Row {
    measure: String,
    goal: String,
    /// The figure, and whether it is as the goal wants it.
    measured: Result<(String, bool)>,
}

impl Row {
    pub(super) fn new(
        measure: impl Into<String>,
        goal: impl Into<String>,
        measured: Result<(String, bool)>,
    ) -> Self {
        let row = Self { measure: measure.into(), goal: goal.into(), measured };
        println!("{}", row.line());
        row
    }

    pub(super) fn line(&self) -> String {
        let (figure, met) = match &self.measured {
            Ok((figure, true)) => (figure.as_str(), "yes"),
            Ok((figure, false)) => (figure.as_str(), "**no**"),
            Err(_) => ("failed", "**no**"),
        };
        format!("| {} | {figure} | {} | {met} |", self.measure, self.goal)
    }

    /// Why there is no figure.
    pub(super) fn fault(&self) -> Option<String> {
        let error = self.measured.as_ref().err()?;
        Some(format!("{}: failed: {error:#}", self.measure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_not_met_and_says_why() {
        let met = Row::new("start", "<= 0.7 s", Ok(("0.43 s".into(), true)));
        assert_eq!((met.line().as_str(), met.fault()), ("| start | 0.43 s | <= 0.7 s | yes |", None));
        let failed = Row::new("start", "<= 0.7 s", Err(anyhow::anyhow!("took longer than 300 s")));
        assert_eq!(failed.line(), "| start | failed | <= 0.7 s | **no** |");
        assert_eq!(failed.fault().unwrap(), "start: failed: took longer than 300 s");
    }
}
