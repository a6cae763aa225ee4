use crate::dialect::Dialect;
use crate::kind::Kind;

/// The words that stand for a null.
#[derive(Debug)]
pub(crate) struct Nulls {
    /// By the byte with which they begin, so that a value is compared with few of them.
    words: Vec<Vec<Vec<u8>>>,
    longest: usize,
    has_empty: bool,
}

impl Nulls {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        let mut words = vec![Vec::new(); 256];
        for word in dialect.null_values.iter().map(String::as_bytes) {
            if let Some(begin) = word.first() {
                words[usize::from(*begin)].push(word.to_vec());
            }
        }
        let longest = dialect.null_values.iter().map(String::len).max().unwrap_or_default();
        Self { words, longest, has_empty: dialect.null_values.iter().any(String::is_empty) }
    }

    #[inline]
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        match text.first() {
            None => self.has_empty,
            Some(begin) => {
                text.len() <= self.longest && self.words[usize::from(*begin)].iter().any(|word| word == text)
            }
        }
    }

    /// Whether a word is also a value of `kind`, such as `-1`; then it is to be looked for before the value is read.
    pub(crate) fn overlap(&self, kind: Kind) -> bool {
        self.words.iter().flatten().any(|word| kind.accepts(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_pandas_are_null() {
        let nulls = Nulls::new(&Dialect::default());
        for word in ["", "NA", "#N/A N/A", "-1.#QNAN", "null"] {
            assert!(nulls.contains(word.as_bytes()), "{word}");
        }
        for word in ["NAN", "Null", " ", "0", "-", "NA "] {
            assert!(!nulls.contains(word.as_bytes()), "{word}");
        }
        assert!(nulls.overlap(Kind::Float64) && nulls.overlap(Kind::Text) && !nulls.overlap(Kind::Int64));
    }

    #[test]
    fn other_words_replace_them() {
        let null_values = vec!["-1".to_owned()];
        let nulls = Nulls::new(&Dialect { null_values, ..Dialect::default() });
        assert!(nulls.contains(b"-1") && !nulls.contains(b"") && !nulls.contains(b"NA"));
        assert!(nulls.overlap(Kind::Int64) && !nulls.overlap(Kind::Date));
    }
}
