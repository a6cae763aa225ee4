//! Small sets of small numbers.

/// A set of numbers from 0 to 63: what one field of a crontab matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Values(u64);

impl Values {
    pub(crate) fn contains(self, value: u8) -> bool {
        self.at_or_after(value) == Some(value)
    }

    /// The smallest member.
    pub(crate) fn first(self) -> Option<u8> {
        self.at_or_after(0)
    }

    /// The smallest member that is `least` or more.
    pub(crate) fn at_or_after(self, least: u8) -> Option<u8> {
        let rest = self.0 & u64::MAX.checked_shl(u32::from(least))?;
        (rest != 0).then(|| rest.trailing_zeros() as u8)
    }
}

impl FromIterator<u8> for Values {
    fn from_iter<I: IntoIterator<Item = u8>>(values: I) -> Self {
        Self(values.into_iter().filter(|value| *value < 64).fold(0, |bits, value| bits | 1 << value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_from_a_number_on() {
        let values = Values::from_iter([63, 5, 0]);
        assert_eq!(values.first(), Some(0));
        assert_eq!([0, 1, 5, 6, 63, 64].map(|least| values.at_or_after(least)), {
            [Some(0), Some(5), Some(5), Some(63), Some(63), None]
        });
        assert!(values.contains(5) && !values.contains(6) && !values.contains(64));
        assert_eq!(Values::default().first(), None);
    }
}
