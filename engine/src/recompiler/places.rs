//! Where the native code of each instruction lies: two bytes an instruction.

use super::compile::Offset;

/// So many instructions lie between two anchors, at most.
const BETWEEN_ANCHORS: u32 = 32;

/// An instruction and its native code.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Place {
    pub(super) pc: u32,
    pub(super) offset: Offset,
}

/// A place that is written out, and the index of the first step behind it.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    place: Place,
    step: u32,
}

/// How far the next place lies behind a place.
#[derive(Clone, Copy, Debug)]
struct Step {
    pc: u8,
    offset: u8,
}

/// The places of a program in the order of the code, which is that of the native code, too.
#[derive(Default, Debug)]
pub(super) struct Places {
    anchors: Vec<Anchor>,
    steps: Vec<Step>,
    /// The last place that was added, if there is an anchor.
    last: Place,
    /// How many steps may follow before the next anchor.
    left: u32,
}

impl Places {
    /// Adds a place behind all others.
    #[inline(always)]
    pub(super) fn push(&mut self, place: Place) {
        let (pc, offset) = (place.pc - self.last.pc, place.offset.0 - self.last.offset.0);
        if self.left > 0 && pc | offset < 0x100 {
            self.steps.push(Step { pc: pc as u8, offset: offset as u8 });
            self.left -= 1;
        } else {
            self.anchors.push(Anchor { place, step: self.steps.len() as u32 });
            self.left = BETWEEN_ANCHORS;
        }
        self.last = place;
    }

    /// Gives back memory that is not needed.
    pub(super) fn shrink(&mut self) {
        self.anchors.shrink_to_fit();
        self.steps.shrink_to_fit();
    }

    pub(super) fn last(&self) -> Option<Place> {
        (!self.anchors.is_empty()).then_some(self.last)
    }

    /// The last place that `is_before` holds for; it holds for all up to some place.
    fn last_before(&self, is_before: impl Fn(Place) -> bool) -> Option<Place> {
        let at = self.anchors.partition_point(|anchor| is_before(anchor.place)).checked_sub(1)?;
        let Anchor { mut place, step } = self.anchors[at];
        let end = self.anchors.get(at + 1).map_or(self.steps.len(), |next| next.step as usize);
        for step in &self.steps[step as usize..end] {
            let next = Place {
                pc: place.pc + u32::from(step.pc),
                offset: Offset(place.offset.0 + u32::from(step.offset)),
            };
            if !is_before(next) {
                break;
            }
            place = next;
        }
        Some(place)
    }

    /// The place of the instruction at `pc`.
    pub(super) fn at_pc(&self, pc: u32) -> Option<Place> {
        self.last_before(|place| place.pc <= pc).filter(|place| place.pc == pc)
    }

    /// The place of the instruction whose native code begins at or before `offset`.
    pub(super) fn around(&self, offset: Offset) -> Option<Place> {
        self.last_before(|place| place.offset <= offset)
    }

    /// Bytes of host memory that they take.
    pub(super) fn resident_bytes(&self) -> usize {
        self.anchors.capacity() * size_of::<Anchor>() + self.steps.capacity() * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_and_nothing_else() {
        let mut places = Places::default();
        let mut all = Vec::new();
        let (mut pc, mut offset) = (3, 100);
        for n in 0..1000u32 {
            let place = Place { pc, offset: Offset(offset) };
            places.push(place);
            all.push(place);
            // Some lie far behind the one before.
            pc += if n % 97 == 5 { 300 } else { 1 + n % 25 };
            offset += if n % 89 == 7 { 1000 } else { 1 + n * 7 % 90 };
        }
        places.shrink();
        for (n, &place) in all.iter().enumerate() {
            assert_eq!(places.at_pc(place.pc), Some(place));
            assert_eq!(places.around(place.offset), Some(place));
            let next = all.get(n + 1).map_or(place.pc + 5, |next| next.pc);
            for pc in place.pc + 1..next {
                assert_eq!(places.at_pc(pc), None);
            }
            let next = all.get(n + 1).map_or(place.offset.0 + 5, |next| next.offset.0);
            for offset in place.offset.0..next {
                assert_eq!(places.around(Offset(offset)), Some(place));
            }
        }
        assert_eq!((places.at_pc(2), places.around(Offset(99))), (None, None));
        assert!(places.resident_bytes() < 1000 * 4);
        assert_eq!(Places::default().at_pc(0), None);
        let mut places = Places::default();
        places.push(Place { pc: 0, offset: Offset(0) });
        assert_eq!(places.at_pc(0), places.last());
        assert_eq!(places.last(), Some(Place { pc: 0, offset: Offset(0) }));
    }
}
