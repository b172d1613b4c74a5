//! The guests that compute, on every backend: results are those of the same computation done natively and in another way,
//! gas is that of polkavm 0.33's interpreter.

use crate::common::{engines, guest};
use hatchery_engine::{Config, Exit, GasModel, InstructionSet, Module, Reg};
use sha2::{Digest, Sha256};

/// More than any call here uses.
const GAS: i64 = 1 << 40;

/// The folders of blobs, and what version 2 of containers means in them.
const SETS: [(&str, InstructionSet); 5] = [
    ("jam-v1", InstructionSet::Latest64Extended),
    ("revive-v1", InstructionSet::Latest64Extended),
    ("latest32", InstructionSet::Latest64Extended),
    ("latest64-bitmask", InstructionSet::Latest64Bitmask),
    ("latest64-extended", InstructionSet::Latest64Extended),
];

/// Calls of an export and the results that they must give.
struct Calls {
    export: &'static str,
    expected: Vec<(u64, u64)>,
}

impl Calls {
    fn new(export: &'static str, arguments: &[u64], native: impl Fn(u64) -> u64) -> Self {
        Self { export, expected: arguments.iter().map(|&argument| (argument, native(argument))).collect() }
    }
}

/// Makes the calls in each instruction set, with both gas models, on every backend.
fn check(name: &str, calls: &[Calls]) {
    for (set, latest64) in SETS {
        let is_built = match set {
            "latest32" => name != "ed25519",
            "latest64-bitmask" | "latest64-extended" => matches!(name, "fib" | "sha256"),
            _ => true,
        };
        if !is_built {
            continue;
        }
        let blob = guest(set, name);
        for model in [GasModel::Flat, GasModel::PIPELINE_L2] {
            // polkavm 0.33 does not know the extended encoding; `differential.rs` has 0.37.
            let oracle = (set != "latest64-extended").then(|| Oracle::new(&blob, model));
            let engines = engines(Config::default().gas_model(model).latest64(latest64));
            let modules: Vec<(&String, Module)> =
                engines.iter().map(|(name, engine)| (name, engine.compile(&blob).unwrap())).collect();
            for Calls { export, expected } in calls {
                for &(argument, result) in expected {
                    let theirs = oracle.as_ref().map(|oracle| oracle.call(export, argument));
                    let mut expected = (result, theirs.map(|(_, gas)| gas));
                    if let Some((theirs, _)) = theirs {
                        assert_eq!(theirs, result, "{set} {export}({argument}): polkavm and native disagree");
                    }
                    for (backend, module) in &modules {
                        let (result, gas) = call(module, export, argument);
                        // Without an oracle the gas is that of the first backend.
                        expected.1.get_or_insert(gas);
                        assert_eq!(
                            (result, Some(gas)),
                            expected,
                            "{set} {export}({argument}) -> (result, gas), {model}, {backend}"
                        );
                    }
                }
            }
        }
    }
}

/// Result and gas used.
fn call(module: &Module, export: &str, argument: u64) -> (u64, i64) {
    let mut instance = module.instantiate();
    let is_64_bit = module.instruction_set().is_64_bit();
    instance.prepare(export, &arguments(argument, is_64_bit)).unwrap();
    instance.set_gas(GAS);
    assert_eq!(instance.run(), Ok(Exit::Finished), "{export}({argument})");
    let result = result(|reg| instance.reg([Reg::A0, Reg::A1][reg]), is_64_bit);
    (result, GAS - instance.gas())
}

/// A number of 64 bits as it is passed: where registers have 32, in two of them.
fn arguments(argument: u64, is_64_bit: bool) -> Vec<u64> {
    if is_64_bit { vec![argument] } else { vec![argument & u64::from(u32::MAX), argument >> 32] }
}

/// A number of 64 bits as it is given back, from a0 and a1.
fn result(reg: impl Fn(usize) -> u64, is_64_bit: bool) -> u64 {
    if is_64_bit { reg(0) } else { reg(0) | reg(1) << 32 }
}

/// A guest in polkavm 0.33's interpreter.
struct Oracle(polkavm_033::Module);

impl Oracle {
    fn new(blob: &[u8], model: GasModel) -> Self {
        let mut config = polkavm_033::Config::new();
        config.set_backend(Some(polkavm_033::BackendKind::Interpreter));
        config.set_default_cost_model(Some(match model {
            GasModel::Flat => polkavm_033::CostModelKind::Simple(polkavm_033::CostModel::naive_ref()),
            GasModel::Pipeline { .. } => polkavm_033::CostModelKind::Full(polkavm_033::CacheModel::L2Hit),
        }));
        config.set_allow_experimental(true);
        let engine = polkavm_033::Engine::new(&config).unwrap();
        let mut config = polkavm_033::ModuleConfig::new();
        config.set_gas_metering(Some(polkavm_033::GasMeteringKind::Sync));
        Self(polkavm_033::Module::new(&engine, &config, blob.to_vec().into()).unwrap())
    }

    /// Result and gas used.
    fn call(&self, export: &str, argument: u64) -> (u64, i64) {
        let entry = self.0.exports().find(|found| found.symbol().as_bytes() == export.as_bytes());
        let mut instance = self.0.instantiate().unwrap();
        let is_64_bit = self.0.is_64_bit();
        instance.prepare_call_untyped(entry.unwrap().program_counter(), &arguments(argument, is_64_bit));
        instance.set_gas(GAS);
        let exit = instance.run().unwrap();
        assert!(matches!(exit, polkavm_033::InterruptKind::Finished), "{export}({argument}): {exit:?}");
        let result = result(|reg| instance.reg([polkavm_033::Reg::A0, polkavm_033::Reg::A1][reg]), is_64_bit);
        (result, GAS - instance.gas())
    }
}

#[test]
fn sha256() {
    let zeros = |count: u64| first_word(&Sha256::digest(vec![0; count as usize]));
    let chain = |rounds: u64| {
        let digest = (0..rounds).fold([0; 32], |digest, _| Sha256::digest(digest).into());
        first_word(&digest)
    };
    // The digest of nothing, e3b0c442 98fc1c14 ..., is in every book.
    assert_eq!(zeros(0), 0x141c_fc98_42c4_b0e3);
    check(
        "sha256",
        &[
            Calls::new("hash_zeros", &[0, 1, 55, 56, 63, 64, 255, 256, 257, 10_000], zeros),
            Calls::new("hash_chain", &[0, 1, 50], chain),
        ],
    );
}

fn first_word(digest: &[u8]) -> u64 {
    u64::from_le_bytes(digest[..8].try_into().unwrap())
}

#[test]
fn ed25519() {
    // The vector of RFC 8032 is valid as it is, and with any bit flipped it is not.
    check(
        "ed25519",
        &[Calls::new("verify", &[0, 1, 256, 257, 511, 512, 513, 528, 529, u64::MAX], |bit| {
            u64::from(!(1..=528).contains(&bit))
        })],
    );
}

#[test]
fn fib() {
    // By squares: (fib(n), fib(n + 1)) from those of n / 2, modulo 2^64.
    fn pair(n: u64) -> (u64, u64) {
        if n == 0 {
            return (0, 1);
        }
        let (this, next) = pair(n / 2);
        let even = this.wrapping_mul(next.wrapping_mul(2).wrapping_sub(this));
        let odd = this.wrapping_mul(this).wrapping_add(next.wrapping_mul(next));
        if n.is_multiple_of(2) { (even, odd) } else { (odd, even.wrapping_add(odd)) }
    }
    assert_eq!(pair(90).0, 2_880_067_194_370_816_120);
    let native = |n| pair(n).0;
    check(
        "fib",
        &[
            Calls::new("fib", &[0, 1, 2, 3, 10, 20], native),
            Calls::new("fib_loop", &[0, 1, 2, 3, 10, 90, 93, 94, 10_000], native),
        ],
    );
}

#[test]
fn heap() {
    check("heap", &[Calls::new("churn", &[0, 1, 2, 10, 1_000, 20_000], churn)]);
}

/// What the guest `heap` does, in an array instead of a map.
fn churn(rounds: u64) -> u64 {
    let mut map: [Option<Vec<u64>>; 256] = [const { None }; 256];
    let mut number = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..rounds {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        let entry = &mut map[usize::from(number as u8)];
        match number >> 8 & 3 {
            0 => *entry = None,
            1 => {
                let list = entry.get_or_insert_default();
                if list.len() < 64 {
                    list.push(round);
                }
            }
            _ => *entry = Some((0..number >> 10 & 63).map(|index| index ^ number).collect()),
        }
    }
    let lists = (0u64..).zip(&map).filter_map(|(key, list)| Some((key, list.as_ref()?)));
    fnv(lists.flat_map(|(key, list)| [key, list.len() as u64].into_iter().chain(list.iter().copied())))
}

fn fnv(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| (hash ^ number).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn integers() {
    check("integers", &[Calls::new("simulate", &[0, 1, 2, 64, 1_000], simulate)]);
}

/// What the guest `integers` does, in 128 bits and with the library's square root: equal as long as nothing overflows
/// in the guest's 64 bits, which is what panics here.
fn simulate(steps: u64) -> u64 {
    let mut positions: [[i128; 3]; 5] = [
        [0, 0, 0],
        [327_680, 0, 6_553],
        [0, -655_360, -3_276],
        [-983_040, 65_536, 0],
        [131_072, 1_310_720, 16_384],
    ];
    let mut velocities: [[i128; 3]; 5] =
        [[0, 0, 0], [0, 131_072, 0], [92_681, 0, 1_310], [-6_553, -75_366, 655], [-65_536, 3_276, 0]];
    let masses = [1_310_720i128, 6_553, 13_107, 3_276, 1_638];
    let fits = |number: i128| i64::try_from(number).map(i128::from).expect("no overflow in 64 bits");
    let scaled = |a: i128, b: i128| fits(a * b).div_euclid(1 << 16);
    for _ in 0..steps {
        for this in 1..5 {
            for other in 0..this {
                let difference =
                    std::array::from_fn::<_, 3, _>(|axis| positions[other][axis] - positions[this][axis]);
                let square = 65_536 + difference.iter().map(|length| scaled(*length, *length)).sum::<i128>();
                let distance = fits(square << 16).isqrt();
                let cube = scaled(square, distance).max(1);
                for axis in 0..3 {
                    let pull = fits(difference[axis] << 16) / cube;
                    velocities[this][axis] += scaled(pull, masses[other]).div_euclid(64);
                    velocities[other][axis] -= scaled(pull, masses[this]).div_euclid(64);
                }
            }
        }
        for (position, velocity) in positions.iter_mut().zip(&velocities) {
            for axis in 0..3 {
                position[axis] += velocity[axis].div_euclid(64);
            }
        }
    }
    fnv(positions.iter().zip(&velocities).flat_map(|(p, v)| p.iter().chain(v)).map(|number| *number as u64))
}
