//! Pipes: two ends, each with an owner, and nothing in between.

use crate::abi::{Descriptor, End};
use crate::table::Slot;

/// The pipes of which an end is open, in the order of their numbers.
#[derive(Clone, Default, Debug)]
pub(crate) struct Pipes {
    rows: Vec<Pipe>,
    /// Open ends of all pipes.
    open: u32,
    /// The number of the next pipe.
    next: u64,
}

/// A pipe with at least one open end.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    pub(crate) number: u64,
    /// By [`End`].
    owners: [Option<Slot>; 2],
    /// Whether the owner of an end is blocked at it, by [`End`].
    waiting: [bool; 2],
}

/// Where a pipe is among the open ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl Pipe {
    pub(crate) fn owner(&self, end: End) -> Option<Slot> {
        self.owners[end as usize]
    }

    /// Who is blocked at an end.
    pub(crate) fn waiting(&self, end: End) -> Option<Slot> {
        self.owners[end as usize].filter(|_| self.waiting[end as usize])
    }

    pub(crate) fn set_waiting(&mut self, end: End, waiting: bool) {
        self.waiting[end as usize] = waiting;
    }
}

impl Pipes {
    /// Pipes that were open somewhere else, in the order of their numbers, which are below `next`.
    pub(crate) fn restore(next: u64, ends: impl Iterator<Item = (u64, [Option<Slot>; 2])>) -> Self {
        let rows: Vec<Pipe> =
            ends.map(|(number, owners)| Pipe { number, owners, waiting: [false; 2] }).collect();
        let open = rows.iter().flat_map(|pipe| pipe.owners).flatten().count() as u32;
        Self { rows, open, next }
    }

    pub(crate) fn open(&self) -> u32 {
        self.open
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn rows(&self) -> &[Pipe] {
        &self.rows
    }

    /// A new pipe, both ends of which have this owner.
    pub(crate) fn create(&mut self, owner: Slot) -> [Descriptor; 2] {
        let number = self.next;
        self.next += 1;
        self.open += 2;
        self.rows.push(Pipe { number, owners: [Some(owner); 2], waiting: [false; 2] });
        End::BOTH.map(|end| Descriptor::new(number, end))
    }

    /// The pipe of this descriptor, and which end it is, if this process owns it.
    pub(crate) fn owned(&mut self, descriptor: Descriptor, owner: Slot) -> Option<(&mut Pipe, End)> {
        let (number, end) = descriptor.parts()?;
        let pipe = self.find(number)?;
        (pipe.owner(end) == Some(owner)).then_some((pipe, end))
    }

    /// Where the pipe is that a descriptor is this end of, and who owns its ends; none: there is no such pipe, or it is the other end.
    #[inline]
    pub(crate) fn place_of(&self, descriptor: Descriptor, end: End) -> Option<(Place, [Option<Slot>; 2])> {
        let (number, _) = descriptor.parts().filter(|(_, is)| *is == end)?;
        let at = self.position(number)?;
        Some((Place(at), self.rows[at].owners))
    }

    /// The pipe at a place, which it has until a descriptor is closed.
    #[inline]
    pub(crate) fn at(&mut self, place: Place) -> &mut Pipe {
        &mut self.rows[place.0]
    }

    /// The pipe with this number.
    pub(crate) fn find(&mut self, number: u64) -> Option<&mut Pipe> {
        let at = self.position(number)?;
        self.rows.get_mut(at)
    }

    /// Who has a descriptor.
    pub(crate) fn owner(&self, descriptor: Descriptor) -> Option<Slot> {
        let (number, end) = descriptor.parts()?;
        self.rows[self.position(number)?].owner(end)
    }

    /// Gives a descriptor to somebody.
    pub(crate) fn give(&mut self, descriptor: Descriptor, to: Slot) {
        if let Some((number, end)) = descriptor.parts()
            && let Some(pipe) = self.find(number)
        {
            pipe.owners[end as usize] = Some(to);
        }
    }

    /// Closes a descriptor. Gives who is blocked at the other end.
    pub(crate) fn close(&mut self, descriptor: Descriptor) -> Option<Slot> {
        let (number, end) = descriptor.parts()?;
        let at = self.position(number)?;
        let pipe = &mut self.rows[at];
        if pipe.owners[end as usize].take().is_some() {
            self.open -= 1;
        }
        pipe.set_waiting(end, false);
        let blocked = pipe.waiting(end.other());
        pipe.set_waiting(end.other(), false);
        if pipe.owners == [None, None] {
            self.rows.remove(at);
        }
        blocked
    }

    /// The descriptors of a process, in the order of their numbers.
    pub(crate) fn of(&self, owner: Slot) -> impl Iterator<Item = Descriptor> {
        self.rows.iter().flat_map(move |pipe| {
            let ends = End::BOTH.into_iter().filter(move |&end| pipe.owner(end) == Some(owner));
            ends.map(|end| Descriptor::new(pipe.number, end))
        })
    }

    /// All open descriptors, in the order of their numbers.
    pub(crate) fn all(&self) -> Vec<Descriptor> {
        let open = |pipe: &Pipe, end| pipe.owner(end).map(|_| Descriptor::new(pipe.number, end));
        self.rows.iter().flat_map(|pipe| End::BOTH.map(|end| open(pipe, end))).flatten().collect()
    }

    #[inline]
    fn position(&self, number: u64) -> Option<usize> {
        // Mostly none between them is closed.
        let first = self.rows.first()?.number;
        let guess = usize::try_from(number.checked_sub(first)?).ok()?;
        match self.rows.get(guess) {
            Some(pipe) if pipe.number == number => Some(guess),
            _ => self.rows.binary_search_by_key(&number, |pipe| pipe.number).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_owned_given_and_closed() {
        let mut pipes = Pipes::default();
        let [a, b] = [Slot(0), Slot(1)];
        assert_eq!(pipes.create(a), [Descriptor(2), Descriptor(3)]);
        assert_eq!(pipes.create(a), [Descriptor(4), Descriptor(5)]);
        pipes.give(Descriptor(3), b);
        assert!(pipes.owned(Descriptor(3), a).is_none());
        assert!(pipes.owned(Descriptor(3), b).is_some());
        assert!(pipes.owned(Descriptor(6), a).is_none() && pipes.owned(Descriptor(1), a).is_none());
        assert_eq!(pipes.of(a).map(|d| d.0).collect::<Vec<_>>(), [2, 4, 5]);
        pipes.owned(Descriptor(3), b).unwrap().0.set_waiting(End::Write, true);
        assert_eq!(pipes.close(Descriptor(2)), Some(b), "b is blocked at the other end");
        assert_eq!(pipes.close(Descriptor(2)), None, "it is closed already");
        assert_eq!((pipes.open(), pipes.rows().len()), (3, 2));
        assert_eq!(pipes.close(Descriptor(3)), None);
        assert_eq!((pipes.open(), pipes.rows().len()), (2, 1));
        assert_eq!(pipes.create(b), [Descriptor(6), Descriptor(7)], "numbers are not used again");
    }
}
