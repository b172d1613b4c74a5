//! What an operation is, and a place among the operations of a module.

use core::ops::Deref;
use core::ptr::NonNull;

use super::kinds::for_each_kind;
use crate::exit::TrapKind;
use crate::isa::Opcode;

macro_rules! define_kinds {
    (
        instructions { $($instruction:ident)+ }
        others { $($(#[$doc:meta])+ $other:ident)+ }
        fused { $($fused:ident = $shorter:ident ($last_how:ident $last:ident) [$first:ident $(($how:ident $then:ident))+];)* }
    ) => {
        /// What an operation does: an instruction, one of a few things that are no instructions, or itself and then the operation
        /// behind it.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        #[expect(non_camel_case_types, reason = "the names of fused operations are those of their parts")]
        pub(crate) enum Kind {
            $($instruction,)+
            $($(#[$doc])+ $other,)+
            $($fused,)*
        }

        impl Kind {
            /// What the operation is on its own, if it is fused with the one behind it.
            pub(super) const fn alone(self) -> Self {
                match self {
                    $(Self::$fused => Self::$first,)*
                    same => same,
                }
            }
        }

        impl From<Opcode> for Kind {
            fn from(opcode: Opcode) -> Self {
                match opcode {
                    $(Opcode::$instruction => Self::$instruction,)+
                }
            }
        }
    };
}

for_each_kind!(define_kinds);

/// An operation. `a`, `b` and `c` are the numbers of the destination and the two source registers, below 13; `x` is the first
/// immediate (the low half of a 64-bit one), `y` the second immediate, the high half, the pc (of `Ecalli`), or the target: how
/// many bytes away its operation lies.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(crate) struct Operation {
    pub(super) kind: Kind,
    /// The number of the region that it belongs to.
    pub(super) region: u16,
    pub(super) a: u8,
    pub(super) b: u8,
    pub(super) c: u8,
    pub(super) x: u32,
    pub(super) y: u32,
}

impl Operation {
    pub(super) const fn plain(kind: Kind, x: u32) -> Self {
        Self { kind, region: 0, a: 0, b: 0, c: 0, x, y: 0 }
    }

    pub(super) const fn fail(kind: TrapKind) -> Self {
        Self::plain(Kind::Fail, kind as u32)
    }

    /// The first immediate as 64 bits.
    #[inline(always)]
    pub(super) const fn immediate(&self) -> u64 {
        self.x as i32 as u64
    }
}

/// The operations of a region, in memory that does not move, so that there can be pointers to them.
#[derive(Debug)]
pub(super) struct Operations(NonNull<[Operation]>);

// SAFETY: operations are plain data, which nobody changes.
unsafe impl Send for Operations {}
// SAFETY: as above.
unsafe impl Sync for Operations {}

impl Operations {
    pub(super) fn new(operations: Box<[Operation]>) -> Self {
        Self(NonNull::from(Box::leak(operations)))
    }

    /// The place of the operation with this number.
    pub(super) fn position(&self, number: u32) -> Option<Position> {
        // SAFETY: the operation lies in the allocation.
        ((number as usize) < self.0.len()).then(|| Position(unsafe { self.0.cast().add(number as usize) }))
    }

    /// The number of the operation at this place, which must be one of these.
    pub(super) fn number(&self, position: Position) -> u32 {
        let offset = position.0.as_ptr().addr() - self.0.cast::<Operation>().as_ptr().addr();
        (offset / size_of::<Operation>()) as u32
    }
}

impl Deref for Operations {
    type Target = [Operation];

    fn deref(&self) -> &[Operation] {
        // SAFETY: the allocation is alive as long as this, and nobody changes it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Operations {
    fn drop(&mut self) {
        // SAFETY: it was leaked from a box in `new`; positions are not used without the module that this belongs to.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// A place among the operations of a module: a pointer to one of them.
///
/// Positions are made by a module's regions only, and handed to the machines and instances of the same module, which keep it
/// alive. So they can be followed without asking. What lies behind or at the target of an operation is known from how regions are
/// made: there is a target where the kind has one, and something behind all but the jump that ends a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(crate) struct Position(NonNull<Operation>);

// SAFETY: it points to operations, which nobody changes, in memory that does not move.
unsafe impl Send for Position {}
// SAFETY: as above.
unsafe impl Sync for Position {}

impl Position {
    /// The pointer, to be kept where atomic ones are needed.
    pub(super) const fn pointer(self) -> *mut Operation {
        self.0.as_ptr()
    }

    /// From a pointer that was kept.
    #[inline(always)]
    pub(super) fn from_pointer(pointer: *mut Operation) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// The place behind.
    #[inline(always)]
    pub(super) const fn next(self) -> Self {
        // SAFETY: there is one, see above.
        Self(unsafe { self.0.add(1) })
    }

    /// Where this operation jumps to.
    #[inline(always)]
    pub(super) fn target(self) -> Self {
        // SAFETY: there is one, see above.
        Self(unsafe { self.0.byte_offset(self.y as i32 as isize) })
    }
}

impl Deref for Position {
    type Target = Operation;

    #[inline(always)]
    fn deref(&self) -> &Operation {
        // SAFETY: the operation is alive, see above, and nobody changes it.
        unsafe { self.0.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_sixteen_bytes() {
        assert_eq!(size_of::<Operation>(), 16);
        assert_eq!(size_of::<Option<Position>>(), 8);
    }
}
