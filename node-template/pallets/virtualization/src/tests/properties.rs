//! Deposits and reference counts balance whatever is done in whatever order.

use super::script::Script;
use crate::{Call, CodeInfos, HoldReason, Instances, JobTarget, Jobs, Pallet, mock::*};
use frame_support::{traits::fungible::Inspect as _, weights::Weight};
use proptest::prelude::*;
use sp_runtime::AccountId32;

/// Something that somebody does to the chain. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Action {
    Upload {
        who: usize,
        code: usize,
    },
    RemoveCode {
        who: usize,
        code: usize,
    },
    Instantiate {
        who: usize,
        code: usize,
        salt: u8,
        value: u64,
    },
    Call {
        who: usize,
        instance: usize,
        steps: Vec<Step>,
        end: End,
        limit: Option<u64>,
    },
    RemoveInstance {
        who: usize,
        instance: usize,
    },
    Idle {
        items: u64,
    },
    StartJob {
        who: usize,
        target: Target,
        steps: Vec<Step>,
        end: End,
        millis: u64,
        slices: u32,
        limit: Option<u64>,
    },
    CancelJob {
        who: usize,
        job: u64,
    },
    RunJobs,
    NextBlock,
}

/// What a job is of.
#[derive(Clone, Copy, Debug)]
enum Target {
    Code(usize),
    Instance(usize),
    Processes { root: usize, other: usize },
}

/// Something that a guest does.
#[derive(Clone, Debug)]
enum Step {
    Set { key: u8, length: u32 },
    Remove { key: u8 },
    Transfer { who: usize, amount: u128 },
    Yield,
    Call { instance: usize, steps: Vec<Step>, end: End, value: u128, unwinds: bool },
}

#[derive(Clone, Copy, Debug)]
enum End {
    Finish,
    Revert,
    Trap,
    Terminate(usize),
}

const ACCOUNTS: [AccountId32; 3] = [ALICE, BOB, CHARLIE];

/// Programs with a constructor that takes no input.
const CODES: [&[u8]; 3] = [SCRIPT, TALLY, HELLO];

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        6 => Just(End::Finish),
        1 => Just(End::Revert),
        1 => Just(End::Trap),
        1 => (0..3_usize).prop_map(End::Terminate),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        6 => (0..4_u8, 0..200_u32).prop_map(|(key, length)| Step::Set { key, length }),
        3 => (0..4_u8).prop_map(|key| Step::Remove { key }),
        1 => (0..3_usize, 0..2000_u128).prop_map(|(who, amount)| Step::Transfer { who, amount }),
        1 => Just(Step::Yield),
    ];
    let step = leaf.prop_recursive(2, 8, 3, |inner| {
        (0..8_usize, proptest::collection::vec(inner, 0..3), end(), 0..20_u128, any::<bool>()).prop_map(
            |(instance, steps, end, value, unwinds)| Step::Call { instance, steps, end, value, unwinds },
        )
    });
    proptest::collection::vec(step, 0..5)
}

fn action() -> impl Strategy<Value = Action> {
    let who = 0..3_usize;
    let limit = prop_oneof![3 => Just(None), 1 => (0..2000_u64).prop_map(Some)];
    let target = prop_oneof![
        2 => (0..3_usize).prop_map(Target::Code),
        2 => (0..8_usize).prop_map(Target::Instance),
        1 => (0..3_usize, 0..3_usize).prop_map(|(root, other)| Target::Processes { root, other }),
    ];
    prop_oneof![
        2 => (who.clone(), 0..3_usize).prop_map(|(who, code)| Action::Upload { who, code }),
        1 => (who.clone(), 0..3_usize).prop_map(|(who, code)| Action::RemoveCode { who, code }),
        4 => (who.clone(), 0..3_usize, 0..3_u8, 0..3000_u64)
            .prop_map(|(who, code, salt, value)| Action::Instantiate { who, code, salt, value }),
        10 => (who.clone(), 0..8_usize, steps(), end(), limit.clone())
            .prop_map(|(who, instance, steps, end, limit)| Action::Call { who, instance, steps, end, limit }),
        1 => (who.clone(), 0..8_usize).prop_map(|(who, instance)| Action::RemoveInstance { who, instance }),
        2 => (0..6_u64).prop_map(|items| Action::Idle { items }),
        3 => (who.clone(), target, steps(), end(), 1..6_u64, 0..4_u32, limit.clone()).prop_map(
            |(who, target, steps, end, millis, slices, limit)| {
                Action::StartJob { who, target, steps, end, millis, slices, limit }
            },
        ),
        1 => (who.clone(), 1..6_u64).prop_map(|(who, job)| Action::CancelJob { who, job }),
        3 => Just(Action::RunJobs),
        1 => Just(Action::NextBlock),
    ]
}

/// The instance that a number chooses, or an account that is none.
fn instance(number: usize) -> AccountId32 {
    let instances: Vec<_> = Instances::<Test>::iter_keys().collect();
    instances.get(number % instances.len().max(1)).cloned().unwrap_or(CHARLIE)
}

fn script(steps: &[Step], end: End) -> Vec<u8> {
    let mut script = Script::new();
    for step in steps {
        script = match step {
            Step::Set { key, length } => script.set(&[*key], 1, *length),
            Step::Remove { key } => script.remove(&[*key]),
            Step::Transfer { who, amount } => script.transfer(&ACCOUNTS[*who], *amount),
            Step::Yield => script.yields(),
            Step::Call { instance: number, steps, end, value, unwinds } => {
                let input = self::script(steps, *end);
                script.call_with(&instance(*number), "run", input, *value, 5_000_000, *unwinds)
            }
        };
    }
    match end {
        End::Finish => script.end(),
        End::Revert => script.revert(),
        End::Trap => script.trap(),
        End::Terminate(who) => script.terminate(&ACCOUNTS[who]),
    }
}

/// Does it. Most of what is done makes no sense and fails.
fn act(action: &Action) {
    let (who, call) = match action {
        Action::Upload { who, code } => (who, upload_of(CODES[*code])),
        Action::RemoveCode { who, code } => {
            (who, Call::remove_code { code_hash: Pallet::<Test>::code_hash(CODES[*code]) })
        }
        Action::Instantiate { who, code, salt, value } => {
            let mut call = instantiation(Pallet::<Test>::code_hash(CODES[*code]), *salt, &[]);
            if let Call::instantiate { value: endowment, .. } = &mut call {
                *endowment = *value;
            }
            (who, call)
        }
        Action::Call { who, instance: number, steps, end, limit } => {
            let mut call = calling(&instance(*number), "run", &script(steps, *end));
            if let Call::call { storage_deposit_limit, .. } = &mut call {
                *storage_deposit_limit = *limit;
            }
            (who, call)
        }
        Action::RemoveInstance { who, instance: number } => {
            (who, Call::remove_instance { instance: instance(*number) })
        }
        Action::Idle { items } => {
            idle(Weight::from_parts(200_000_000, 20_000) * *items);
            return;
        }
        Action::StartJob { who, target, steps, end, millis, slices, limit } => {
            let code_hash = |number: usize| Pallet::<Test>::code_hash(CODES[number]);
            let target = match *target {
                Target::Code(code) => JobTarget::Code(code_hash(code)),
                Target::Instance(number) => {
                    JobTarget::Instance { instance: instance(number), storage_deposit_limit: *limit }
                }
                Target::Processes { root, other } => {
                    let programs =
                        vec![(bounded(b"other"), code_hash(other)), (bounded(b"root"), code_hash(root))];
                    let programs = programs.try_into().expect("these are not many");
                    JobTarget::Processes { root: code_hash(root), programs }
                }
            };
            let call = Call::start_job {
                target,
                export: bounded(b"run"),
                input: bounded(&script(steps, *end)),
                gas_per_slice: Weight::from_parts(millis * 1_000_000_000, 256 * 1024),
                max_slices: *slices,
            };
            (who, call)
        }
        Action::CancelJob { who, job } => (who, Call::cancel_job { job: *job }),
        Action::RunJobs => {
            Pallet::<Test>::run_jobs(<Test as crate::Config>::JobsWeight::get());
            return;
        }
        Action::NextBlock => return,
    };
    let _ = dispatch(&ACCOUNTS[*who], call);
}

/// Removes all that is left, and gives what is still held then.
fn remove_everything() -> u64 {
    for (job, info) in Jobs::<Test>::iter().collect::<Vec<_>>() {
        dispatch(&info.owner, Call::cancel_job { job }).expect("its owner can cancel a job");
    }
    for (instance, info) in Instances::<Test>::iter().collect::<Vec<_>>() {
        dispatch(&info.owner, Call::remove_instance { instance }).expect("its owner can remove an instance");
    }
    for (code_hash, info) in CodeInfos::<Test>::iter().collect::<Vec<_>>() {
        dispatch(&info.owner, Call::remove_code { code_hash }).expect("no instance is left");
    }
    while crate::RemovalQueue::<Test>::get().first < crate::RemovalQueue::<Test>::get().next {
        assert_ne!(idle(GAS), Weight::zero());
    }
    let reasons =
        [HoldReason::Code, HoldReason::Instance, HoldReason::Storage, HoldReason::Job, HoldReason::JobSlices];
    reasons.iter().flat_map(|reason| ACCOUNTS.each_ref().map(|account| held(*reason, account))).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn deposits_and_references_balance(actions in proptest::collection::vec(action(), 1..24)) {
        // So that jobs are affordable.
        MaxSnapshot::set(32 * 1024);
        let mut externalities = externalities();
        externalities.execute_with(|| {
            // Something to begin with, or most sequences would call nothing.
            upload(SCRIPT);
            instantiate(Pallet::<Test>::code_hash(SCRIPT), 100, &[], 5000);
            instantiate(Pallet::<Test>::code_hash(SCRIPT), 101, &[], 5000);
        });
        let issuance = externalities.execute_with(Balances::total_issuance);
        for action in &actions {
            if matches!(action, Action::NextBlock) {
                next_block(&mut externalities);
            }
            externalities.execute_with(|| {
                act(action);
                check();
            });
        }
        externalities.execute_with(|| {
            prop_assert_eq!(remove_everything(), 0);
            check();
            // What slices of jobs cost is burnt.
            let left = Balances::total_issuance();
            let had_slices = actions.iter().any(|action| matches!(action, Action::RunJobs));
            prop_assert!(left == issuance || (left < issuance && had_slices), "{left} of {issuance}");
            let total: u64 = ACCOUNTS.iter().map(Balances::total_balance).sum();
            prop_assert_eq!(total, left, "something stayed in an account of a removed instance");
            Ok(())
        })?;
    }
}
