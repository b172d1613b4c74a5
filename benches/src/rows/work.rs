//! Programs that compute, and what all engines must agree on.

use super::Run;
use crate::engines::{Engine, Gas, Instance};
use crate::results::Section;
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;

/// A module of `work`, how much of it, what that is, and the checksum.
struct Work(&'static str, u64, &'static str, u64);

const WORK: [Work; 13] = [
    Work("primes", 1_000_000, "primes below 1,000,000, by a sieve", 0x4b61_43a2_d421_13fa),
    Work("sha256", 64, "SHA-256 of 64 KiB", 0xe8fb_2a5d_30f6_09df),
    Work("keccak", 64, "Keccak-256 of 64 KiB", 0xecad_4c8a_755b_3db5),
    Work("ed25519", 1, "verify an Ed25519 signature (dalek)", 0x9e37_79b9_7f4a_7c15),
    Work("secp256k1", 1, "recover a secp256k1 key (k256)", 0x6209_7005_49cc_3a99),
    Work("fib", 22, "fib(22) by recursion", 17_711),
    Work("sort", 10_000, "sort 10,000 numbers", 0x8fc1_0b6f_195c_3d43),
    Work("matrix", 1, "product of two 64 x 64 matrices of integers", 0x846f_1d81_ac12_6c92),
    Work(
        "emulate",
        300,
        "a program for an emulated machine (some 100,000 instructions)",
        0xa21b_ab09_5050_93f0,
    ),
    Work("copy", 500, "copy 500 blocks of up to 8 KiB", 0x4949_deb5_a0af_f750),
    Work("chase", 100_000, "100,000 loads that depend on each other", 0xfd89_e5c1_742a_0810),
    Work("allocate", 5_000, "5,000 changes of a map of byte strings", 0x2d90_643e_7e72_03e3),
    Work("contract", 100, "100 calls of a token contract, as pallet-revive's", 0x15d0_4e2e_0609_d433),
];

pub(super) fn section(run: &Run) -> Result<Section> {
    let mut rows = Vec::new();
    for work in WORK.iter().filter(|work| run.wants(work.0)) {
        let &Work(name, amount, title, _) = work;
        let program = run.program(name)?;
        let mut agreed = Agreed::new(work);
        rows.push(run.row(name, title, 1.0, |engine| {
            let mut instance = engine.compile(&program)?.instantiate()?;
            agreed.check(engine, &mut *instance)?;
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    std::hint::black_box(instance.call(amount)?);
                }
                Ok(())
            })))
        }));
    }
    Ok(Section {
        id: "work".into(),
        title: "Programs".into(),
        text: "One call of a program in an instance that has been called before. The same Rust sources for all. Before anything is \
               measured, each engine's checksum is compared with the one that is written down in `benches/src/rows/work.rs`, and the gas of \
               PolkaVM engines with that of the others of the same gas model."
            .into(),
        rows,
    })
}

/// What engines must agree on.
struct Agreed<'a> {
    work: &'a Work,
    gas: HashMap<String, u64>,
}

impl<'a> Agreed<'a> {
    fn new(work: &'a Work) -> Self {
        Self { work, gas: HashMap::new() }
    }

    fn check(&mut self, engine: &dyn Engine, instance: &mut dyn Instance) -> Result<()> {
        let &Work(name, amount, _, checksum) = self.work;
        // Twice: nothing may be left of the first.
        for _ in 0..2 {
            let found = instance.call(amount).with_context(|| name.to_owned())?;
            ensure!(found == checksum, "the checksum of {name}({amount}) is {found:#x}, not {checksum:#x}");
        }
        if let Some(used) = instance.gas_used() {
            let model = if engine.description().gas == Gas::Flat { "flat" } else { "pipeline" };
            let agreed = *self.gas.entry(model.into()).or_insert(used);
            ensure!(used == agreed, "{name}({amount}) costs {used} gas, with the engines before it {agreed}");
        }
        Ok(())
    }
}
