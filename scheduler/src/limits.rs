//! How much of everything a tree of processes may have.

/// Limits of a tree of processes. They are part of consensus, since guests can find them out.
///
/// ```
/// let limits = hatchery_scheduler::Limits::default();
/// assert_eq!((limits.processes, limits.descriptors), (17, 64));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Live processes, the root included. 1 to 64; default 17.
    pub processes: u32,
    /// Open descriptors of all processes together; a pipe needs two. Up to 1024; default 64.
    pub descriptors: u32,
    /// Processes that ended without anybody waiting, whose end is remembered for who waits later. Of more than that the one
    /// that ended first is forgotten. Up to 1024; default 256.
    pub statuses: u32,
    /// Bytes of a program's identifier. Up to 1024; default 64.
    pub identifier_bytes: u32,
    /// Bytes of arguments that a process can be given. Up to 1 MiB; default 64 KiB.
    pub argument_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            processes: 17,
            descriptors: 64,
            statuses: 256,
            identifier_bytes: 64,
            argument_bytes: 64 * 1024,
        }
    }
}

/// A limit that is not one of those that a tree can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the limit `{name}` is {value}: it has to be {least} to {most}")]
pub struct LimitError {
    /// Its name.
    pub name: &'static str,
    /// What it was to be.
    pub value: u32,
    /// The least it can be.
    pub least: u32,
    /// The most it can be.
    pub most: u32,
}

impl Limits {
    /// Whether every limit is in its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), LimitError> {
        let ranges = [
            ("processes", self.processes, 1, 64),
            ("descriptors", self.descriptors, 0, 1024),
            ("statuses", self.statuses, 0, 1024),
            ("identifier_bytes", self.identifier_bytes, 0, 1024),
            ("argument_bytes", self.argument_bytes, 0, 1 << 20),
        ];
        for (name, value, least, most) in ranges {
            if value < least || value > most {
                return Err(LimitError { name, value, least, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_limits() {
        let with = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            limits.check().map_err(|error| error.to_string())
        };
        assert_eq!(Limits::default().check(), Ok(()));
        assert_eq!(with(|limits| limits.processes = 64), Ok(()));
        let message = "the limit `processes` is 65: it has to be 1 to 64";
        assert_eq!(with(|limits| limits.processes = 65), Err(message.into()));
        assert!(with(|limits| limits.processes = 0).is_err());
        assert!(with(|limits| limits.descriptors = 1025).is_err());
        assert!(with(|limits| limits.statuses = 1025).is_err());
        assert!(with(|limits| limits.identifier_bytes = 1025).is_err());
        assert!(with(|limits| limits.argument_bytes = (1 << 20) + 1).is_err());
    }
}
