//! Which operations are executed together.
//!
//! A fused operation does what its own place and the ones behind it say, and those stay what they are: so execution can begin, stop
//! and fail at any of them, and what stops at one finds everything there.

use super::kinds::for_each_kind;
use super::operations::{Kind, Operation};

/// The most operations that are fused.
const MOST: usize = 4;

/// Fuses what can be fused, such that from each operation on as few as possible are executed.
pub(super) fn fuse(operations: &mut [Operation]) {
    for at in 1..operations.len() {
        let written = operations[at - 1].a;
        let second = &mut operations[at];
        // The order of their sources does not matter, and a chain wants to know the first one.
        if second.c == written && is_commutative(second.kind) {
            core::mem::swap(&mut second.b, &mut second.c);
        }
    }
    // How many are executed from the one at hand to the end of its block; from the one behind it; and so on.
    let mut counts = [0u32; MOST + 1];
    for at in (0..operations.len()).rev() {
        counts.copy_within(..MOST, 1);
        counts[0] = counts[1] + 1;
        let rest = &operations[at..];
        let mut kind = rest[0].kind;
        let mut best = kind;
        for length in 2..=rest.len().min(MOST) {
            let Some(longer) = fused(kind, &rest[length - 2], &rest[length - 1]) else { break };
            kind = longer;
            if counts[length] + 1 < counts[0] {
                counts[0] = counts[length] + 1;
                best = kind;
            }
        }
        operations[at].kind = best;
    }
}

/// Whether the two sources of such an operation can be exchanged.
const fn is_commutative(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Add64
            | Kind::Add32
            | Kind::Mul64
            | Kind::Mul32
            | Kind::MulUpperSignedSigned
            | Kind::MulUpperUnsignedUnsigned
            | Kind::And
            | Kind::Or
            | Kind::Xor
            | Kind::Xnor
            | Kind::Maximum
            | Kind::MaximumUnsigned
            | Kind::Minimum
            | Kind::MinimumUnsigned
            | Kind::BranchEq
            | Kind::BranchNotEq
    )
}

macro_rules! define_fused {
    (
        instructions { $($instruction:ident)+ }
        others { $($(#[$doc:meta])+ $other:ident)+ }
        fused { $($fused:ident = $shorter:ident ($last_how:ident $last:ident) [$first:ident $(($how:ident $then:ident))+];)* }
    ) => {
        /// What such an operation becomes if this one is fused to it as well, which lies behind `before`, the last of it so far.
        fn fused(kind: Kind, before: &Operation, next: &Operation) -> Option<Kind> {
            match (kind, next.kind.alone()) {
                $((Kind::$shorter, Kind::$last) if follows!($last_how before next) => Some(Kind::$fused),)*
                _ => None,
            }
        }
    };
}

/// Whether an operation follows on the one before in this way.
macro_rules! follows {
    (Then $before:ident $next:ident) => {
        true
    };
    (Chain $before:ident $next:ident) => {
        $before.a == $next.b
    };
}

for_each_kind!(define_fused);
