//! The call stack: which instance called which.

use core::fmt;

/// How many entries a stack has at most by default.
pub const DEFAULT_MAX_DEPTH: usize = 256;

/// Instances that wait for each other, and one that runs: the uppermost.
#[derive(Clone)]
pub struct CallStack<Frame> {
    entries: Vec<Entry<Frame>>,
    max_depth: usize,
}

/// What lies on a call stack.
#[derive(Clone, Debug)]
pub enum Entry<Frame> {
    /// An instance that was called.
    Instance(Frame),
    /// Says that the one below has yielded, and to whom. Only the uppermost entry can be one.
    Reference(Catcher),
}

/// Who deals with a yield.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Catcher {
    /// The embedder.
    Embedder,
    /// The instance at this position of the stack, counted from its bottom.
    Entry(usize),
}

/// What an entry is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is the uppermost.
    Running,
    /// It waits for the one above.
    Waiting,
}

/// An entry cannot be pushed. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StackError {
    /// There are as many entries as there may be.
    #[error("the call stack is full: it has {depth} entries")]
    Full {
        /// How many.
        depth: usize,
    },
    /// A reference names no instance below.
    #[error("entry {target} is no instance below")]
    Target {
        /// What it names.
        target: usize,
    },
    /// The uppermost entry has yielded: it must be resumed or given up first.
    #[error("the uppermost entry has yielded")]
    Yielded,
}

impl<Frame> CallStack<Frame> {
    /// An empty stack for so many instances.
    pub const fn new(max_depth: usize) -> Self {
        Self { entries: Vec::new(), max_depth }
    }

    /// How many entries there are.
    pub const fn depth(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many instances there can be.
    pub const fn max_depth(&self) -> usize {
        self.max_depth
    }

    /// The entries from the bottom, with what they are doing.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (Status, &Entry<Frame>)> {
        let last = self.entries.len().wrapping_sub(1);
        self.entries
            .iter()
            .enumerate()
            .map(move |(at, entry)| (if at == last { Status::Running } else { Status::Waiting }, entry))
    }

    /// The instance at a position.
    pub fn instance(&self, position: usize) -> Option<&Frame> {
        match self.entries.get(position)? {
            Entry::Instance(frame) => Some(frame),
            Entry::Reference(_) => None,
        }
    }

    pub(crate) fn instance_mut(&mut self, position: usize) -> Option<&mut Frame> {
        match self.entries.get_mut(position)? {
            Entry::Instance(frame) => Some(frame),
            Entry::Reference(_) => None,
        }
    }

    /// Who is to deal with the yield of the uppermost instance; none if it has not yielded.
    pub fn caught_by(&self) -> Option<Catcher> {
        match self.entries.last()? {
            Entry::Reference(catcher) => Some(*catcher),
            Entry::Instance(_) => None,
        }
    }

    /// Whether one more instance would fit.
    ///
    /// # Errors
    /// If not.
    pub fn check_room(&self) -> Result<(), StackError> {
        if self.caught_by().is_some() {
            return Err(StackError::Yielded);
        }
        if self.entries.len() >= self.max_depth {
            return Err(StackError::Full { depth: self.entries.len() });
        }
        Ok(())
    }

    /// Puts an instance on top.
    ///
    /// # Errors
    /// If there is no room, or the uppermost has yielded.
    pub fn push_instance(&mut self, frame: Frame) -> Result<(), StackError> {
        self.check_room()?;
        self.entries.push(Entry::Instance(frame));
        Ok(())
    }

    /// Says that the uppermost has yielded.
    ///
    /// # Errors
    /// If `catcher` is no instance below the uppermost, or that has yielded already.
    pub fn push_reference(&mut self, catcher: Catcher) -> Result<(), StackError> {
        if self.caught_by().is_some() {
            return Err(StackError::Yielded);
        }
        let target = match catcher {
            Catcher::Embedder => 0,
            Catcher::Entry(target) => target + 1,
        };
        if target >= self.entries.len() {
            return Err(StackError::Target { target: target.saturating_sub(1) });
        }
        self.entries.push(Entry::Reference(catcher));
        Ok(())
    }

    /// Removes the uppermost entry.
    pub fn pop(&mut self) -> Option<Entry<Frame>> {
        self.entries.pop()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl<Frame> fmt::Debug for CallStack<Frame> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallStack")
            .field("depth", &self.entries.len())
            .field("caught_by", &self.caught_by())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_last_runs_and_the_others_wait() {
        let mut stack = CallStack::new(10);
        assert!(stack.is_empty() && stack.pop().is_none());
        stack.push_instance('a').unwrap();
        stack.push_instance('b').unwrap();
        let statuses: Vec<Status> = stack.entries().map(|(status, _)| status).collect();
        assert_eq!(statuses, [Status::Waiting, Status::Running]);
        assert!(matches!(stack.pop(), Some(Entry::Instance('b'))));
        assert_eq!(stack.entries().next().unwrap().0, Status::Running);
        assert_eq!((stack.instance(0), stack.instance(1)), (Some(&'a'), None));
    }

    #[test]
    fn a_reference_names_an_instance_below() {
        let mut stack = CallStack::new(10);
        assert_eq!(stack.push_reference(Catcher::Embedder), Err(StackError::Target { target: 0 }));
        stack.push_instance('a').unwrap();
        assert_eq!(stack.push_reference(Catcher::Entry(0)), Err(StackError::Target { target: 0 }));
        stack.push_instance('b').unwrap();
        assert_eq!(stack.push_reference(Catcher::Entry(1)), Err(StackError::Target { target: 1 }));
        assert_eq!(stack.push_reference(Catcher::Entry(7)), Err(StackError::Target { target: 7 }));
        assert_eq!(stack.push_reference(Catcher::Entry(0)), Ok(()));
        assert_eq!(stack.caught_by(), Some(Catcher::Entry(0)));
        assert_eq!(stack.instance(2), None);
        assert_eq!(stack.push_reference(Catcher::Entry(0)), Err(StackError::Yielded));
        assert_eq!(stack.push_instance('c'), Err(StackError::Yielded));
    }

    #[test]
    fn the_depth_limit_is_exact() {
        let mut stack = CallStack::new(DEFAULT_MAX_DEPTH);
        for number in 0..256 {
            assert_eq!(stack.push_instance(number), Ok(()));
        }
        assert_eq!(stack.push_instance(256), Err(StackError::Full { depth: 256 }));
        // A reference is no call: it does not count.
        assert_eq!(stack.push_reference(Catcher::Embedder), Ok(()));
        assert_eq!(stack.depth(), 257);
    }
}
