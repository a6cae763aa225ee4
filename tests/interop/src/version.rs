use std::path::PathBuf;

/// A version of Celery, installed by `cargo xtask setup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(&'static str);

impl Version {
    /// The tutorial's: Celery 5.2.7 with redis-py 4.5.5.
    pub const V5_2: Self = Self("5.2");
    pub const V5_4: Self = Self("5.4");
    pub const V5_6: Self = Self("5.6");
    pub const V5_7: Self = Self("5.7");
    pub const ALL: [Self; 4] = [Self::V5_2, Self::V5_4, Self::V5_6, Self::V5_7];

    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether its JSON carries dates and decimals as such, and not as text.
    pub fn has_types(self) -> bool {
        self != Self::V5_2
    }

    /// A program of its virtual environment. Fails where the environment is not as the repository asks for.
    pub fn program(self, name: &str) -> anyhow::Result<PathBuf> {
        let requirements = python().join("requirements").join(format!("celery-{}.txt", self.0));
        Ok(cardoon_testkit::environment(&requirements)?.join("bin").join(name))
    }
}

/// Where the Python programs of these tests are.
pub(crate) fn python() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python")
}
