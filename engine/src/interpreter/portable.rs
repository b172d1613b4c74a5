//! The dispatcher for everywhere: a loop.

use super::handlers::{self, Cpu, Flow, Memory, run};
use super::kinds::for_each_kind;
use super::operations::{Kind, Position};

macro_rules! define_dispatch {
    (
        instructions { $($instruction:ident)+ }
        others { $($(#[$doc:meta])+ $other:ident)+ }
        fused { $($fused:ident = $shorter:ident ($last_how:ident $last:ident) [$first:ident $(($how:ident $then:ident))+];)* }
    ) => {
        /// Does the operation at a place as if it were of this kind.
        #[inline(always)]
        fn dispatch<M: Memory>(kind: Kind, cpu: &mut Cpu<'_, M>, at: Position) -> Flow {
            match kind {
                $(Kind::$instruction => run::<handlers::$instruction, M>(cpu, at),)+
                $(Kind::$other => run::<handlers::$other, M>(cpu, at),)+
                $(Kind::$fused => {
                    run::<handlers::fused!($first $(($how $then))+), M>(cpu, at)
                })*
            }
        }
    };
}

for_each_kind!(define_dispatch);

/// Executes from `at` until there is something that handlers do not do, and gives the place and the gas that is left.
pub(super) fn execute<M: Memory>(cpu: &mut Cpu<'_, M>, mut at: Position, mut gas: i64) -> (Position, i64) {
    loop {
        match dispatch(at.kind, cpu, at) {
            Flow::Next(next) => at = next,
            Flow::Enter(charge) => {
                let left = gas - i64::from(charge.x);
                if left < 0 {
                    return (charge, gas);
                }
                gas = left;
                at = charge.next();
            }
            Flow::Leave(here) => return (here, gas),
        }
    }
}

/// Does one operation, not the one it is fused with.
pub(super) fn single<M: Memory>(cpu: &mut Cpu<'_, M>, at: Position) -> Flow {
    dispatch(at.kind.alone(), cpu, at)
}
