//! The ends that nobody has been told.

use std::collections::BTreeMap;

use crate::abi::ProcessId;
use crate::status::Status;

/// How processes ended, for who waits later.
#[derive(Clone, Default, Debug)]
pub(crate) struct Ended {
    /// By process: which end it was, counted from the first, and how.
    ends: BTreeMap<ProcessId, (u64, Status)>,
    /// In the order in which they came.
    order: BTreeMap<u64, ProcessId>,
    next: u64,
}

impl Ended {
    /// Remembers the end of a process. If there are `most` already, the first is forgotten.
    pub(crate) fn remember(&mut self, process: ProcessId, status: Status, most: usize) {
        if most == 0 {
            return;
        }
        if self.ends.len() >= most
            && let Some((_, first)) = self.order.pop_first()
        {
            self.ends.remove(&first);
        }
        self.ends.insert(process, (self.next, status));
        self.order.insert(self.next, process);
        self.next += 1;
    }

    /// Tells how a process ended, once.
    pub(crate) fn take(&mut self, process: ProcessId) -> Option<Status> {
        let (at, status) = self.ends.remove(&process)?;
        self.order.remove(&at);
        Some(status)
    }

    /// All, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ProcessId, Status)> {
        self.order
            .values()
            .filter_map(|process| self.ends.get(process).map(|&(_, status)| (*process, status)))
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_once_and_the_first_is_forgotten_first() {
        let mut ended = Ended::default();
        for id in [5, 3, 4] {
            ended.remember(ProcessId(id), Status::Exited(id as i8), 3);
        }
        let all = |ended: &Ended| ended.iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        assert_eq!(all(&ended), [5, 3, 4]);
        assert_eq!(ended.take(ProcessId(3)), Some(Status::Exited(3)));
        assert_eq!(ended.take(ProcessId(3)), None);
        ended.remember(ProcessId(9), Status::Exited(9), 3);
        ended.remember(ProcessId(1), Status::Exited(1), 3);
        assert_eq!((all(&ended), ended.len()), (vec![4, 9, 1], 3));
        ended.remember(ProcessId(2), Status::Exited(2), 0);
        assert_eq!(all(&ended), [4, 9, 1]);
        ended.clear();
        assert_eq!((all(&ended), ended.len()), (vec![], 0));
    }
}
