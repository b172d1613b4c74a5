//! Which operations are executed together.
//!
//! A fused operation does what its own place and the ones behind it say, and those stay what they are: so execution can begin, stop
//! and fail at any of them, and what stops at one finds everything there.

use super::kinds::for_each_kind;
use super::operations::{Kind, Operation};

/// The most operations that are fused.
const MOST: usize = 4;
/// What it costs to execute an operation, whatever it does: the jump to its handler.
const DISPATCH: u32 = 4;
/// What it saves to hand a value on instead of reading what has just been written. Measured: without it, or with half of a dispatch,
/// code without loops (`sha256`, `ed25519`) takes some percent longer.
const LINK: u32 = 1;

/// Fuses what can be fused, such that from each operation on executing the rest of its block costs least.
pub(super) fn fuse(operations: &mut [Operation]) {
    for at in 1..operations.len() {
        let written = operations[at - 1].a;
        let second = &mut operations[at];
        // The order of their sources does not matter, and a chain wants to know the first one.
        if second.c == written && is_commutative(second.kind) {
            core::mem::swap(&mut second.b, &mut second.c);
        }
    }
    // What it costs from the one at hand to the end of its block; from the one behind it; and so on.
    let mut costs = [0u32; MOST + 1];
    for at in (0..operations.len()).rev() {
        costs.copy_within(..MOST, 1);
        costs[0] = costs[1] + DISPATCH;
        let mut cost = DISPATCH;
        let rest = &operations[at..];
        let mut kind = rest[0].kind;
        let mut best = kind;
        for length in 2..=rest.len().min(MOST) {
            let Some((longer, is_chained)) = fused(kind, &rest[length - 2], &rest[length - 1]) else { break };
            kind = longer;
            cost -= if is_chained { LINK } else { 0 };
            if costs[length] + cost < costs[0] {
                costs[0] = costs[length] + cost;
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
        /// What such an operation becomes if this one is fused to it as well, which lies behind `before`, the last of it so far; and
        /// whether it is chained to that.
        fn fused(kind: Kind, before: &Operation, next: &Operation) -> Option<(Kind, bool)> {
            match (kind, next.kind.alone()) {
                $((Kind::$shorter, Kind::$last) if follows!($last_how before next) => {
                    Some((Kind::$fused, chained!($last_how)))
                })*
                _ => None,
            }
        }
    };
}

/// Whether this way is a chain.
macro_rules! chained {
    (Then) => {
        false
    };
    (Chain) => {
        true
    };
}
#[cfg(test)]
pub(super) use chained;

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
