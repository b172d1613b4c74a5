//! Which operations the interpreter should fuse next.
//!
//! `cargo run --release -p hatchery-engine --example fusions -- [ROWS [FILE:EXPORT:ARGUMENT]...]` executes programs instruction by
//! instruction, or some guests if none are given, and prints rows for the list in `src/interpreter/kinds.rs`: each time that which
//! saves most, or two of which the second makes the first longer, with what they save of each hundred instructions, every program
//! having the same weight. A value that is handed on counts as part of an operation (`src/interpreter/fusion.rs`). Then what a hundred
//! instructions of each program cost, in operations, now and with these rows. Syscalls are answered with 1.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::Path;

use hatchery_engine::isa::Opcode;
use hatchery_engine::{Config, Engine, Exit, GasModel, ProgramCounter, Reg};

/// The list that there is, and how operations of a block are chosen from it.
const KINDS: &str = include_str!("../src/interpreter/kinds.rs");
const FUSION: &str = include_str!("../src/interpreter/fusion.rs");

const GUESTS: [&str; 8] = [
    "primes.polkavm:primes:100000",
    "sha256.polkavm:hash_zeros:20000",
    "ed25519.polkavm:verify:0",
    "integers.polkavm:simulate:200",
    "fib.polkavm:fib:18",
    "fib.polkavm:fib_loop:50000",
    "heap.polkavm:churn:2000",
    "syscalls.polkavm:round_trips:10000",
];

/// What is executed of a program at most.
const MOST_INSTRUCTIONS: u64 = 5_000_000;

/// How many rows are tried for each that is chosen.
const TRIED: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().map_or(Ok(40), |rows| rows.parse::<usize>())?;
    let mut calls: Vec<String> = arguments.collect();
    if calls.is_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/blobs/jam-v1");
        calls = GUESTS.iter().map(|call| folder.join(call).display().to_string()).collect();
    }
    let rules = Rules::read(FUSION)?;
    let mut blocks = Vec::new();
    for (program, call) in calls.iter().enumerate() {
        blocks.extend(executed(program, call, &rules)?);
    }
    let mut fused = Fused::read(KINDS, rules)?;
    let before = costs_of_a_hundred(&blocks, &fused, calls.len());
    let there = fused.rows.len();
    while fused.rows.len() < there + wanted {
        let Some((rows, saved)) = best_rows(&blocks, &mut fused) else { break };
        for row in rows {
            println!("{}; // saves {:.3}", fused.add(row), saved / calls.len() as f64);
        }
    }
    let after = costs_of_a_hundred(&blocks, &fused, calls.len());
    for ((call, before), after) in calls.iter().zip(before).zip(after) {
        println!("{before:5.1} -> {after:5.1} {call}");
    }
    Ok(())
}

/// What `src/interpreter/fusion.rs` says.
struct Rules {
    /// The most operations that are fused.
    most: usize,
    /// What an operation costs, and how much less if a value is handed on.
    dispatch: u32,
    link: u32,
    /// Operations whose sources can be exchanged.
    commutative: Vec<Opcode>,
}

impl Rules {
    fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix("const ")?.strip_prefix(name));
            let value =
                line.and_then(|line| line.rsplit_once("= ")?.1.strip_suffix(';')?.parse::<u32>().ok());
            value.ok_or_else(|| format!("fusion.rs has no {name}"))
        };
        let list = text.split_once("fn is_commutative").and_then(|(_, rest)| rest.split_once('}'));
        let list = list.ok_or("fusion.rs has no is_commutative")?.0;
        let names: Vec<_> = list.split_whitespace().filter_map(|word| word.strip_prefix("Kind::")).collect();
        let opcodes = Opcode::ALL.iter().copied();
        let commutative: Vec<_> = opcodes.filter(|opcode| names.contains(&&*format!("{opcode:?}"))).collect();
        if commutative.is_empty() || commutative.len() != names.len() {
            return Err("is_commutative has others than instructions".into());
        }
        let most = number("MOST")? as usize;
        Ok(Self { most, dispatch: number("DISPATCH")?, link: number("LINK")?, commutative })
    }
}

/// An operation as `src/interpreter/fusion.rs` sees it: with its destination and its first source, RA where it has none.
#[derive(Clone, Copy)]
struct Operation {
    opcode: Opcode,
    a: Reg,
    b: Reg,
    writes: bool,
    reads: bool,
}

/// Operations that are executed one after the other.
struct Block {
    program: usize,
    /// How often, in percent of the instructions that its program executes.
    percent: f64,
    operations: Vec<Operation>,
}

/// The blocks that a call executes.
fn executed(program: usize, call: &str, rules: &Rules) -> Result<Vec<Block>, Box<dyn Error>> {
    let mut parts = call.rsplitn(3, ':');
    let (Some(argument), Some(export), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(format!("{call} is not FILE:EXPORT:ARGUMENT").into());
    };
    let engine = Engine::new(Config::default().gas_model(GasModel::Flat))?;
    let module = engine.compile(&std::fs::read(file)?)?;
    let mut instance = module.instantiate();
    instance.prepare(export, &[argument.parse()?])?;
    instance.set_gas(i64::MAX);
    let mut times: BTreeMap<ProgramCounter, u64> = BTreeMap::new();
    let mut count = 0;
    let mut pc = instance.pc();
    while count < MOST_INSTRUCTIONS {
        *times.entry(pc).or_default() += 1;
        count += 1;
        match instance.step()? {
            Exit::Paused => pc = instance.pc(),
            // The instance is said to be at the syscall until it goes on.
            Exit::Syscall(_) => {
                instance.set_reg(Reg::A0, 1);
                pc = ProgramCounter(module.instruction_at(pc).next_pc);
            }
            Exit::Finished => break,
            exit => return Err(format!("{call}: {exit:?}").into()),
        }
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut goes_on = false;
    for (&pc, &often) in &times {
        let decoded = module.instruction_at(pc);
        let i = decoded.instruction.ok_or("no instruction")?;
        if !goes_on {
            let percent = 100.0 * often as f64 / count as f64;
            blocks.push(Block { program, percent, operations: Vec::new() });
        }
        let Some(Block { operations, .. }) = blocks.last_mut() else { continue };
        let registers = i.registers();
        let [mut first, second] = registers.reads;
        if let (Some(before), Some(_)) = (operations.last(), second)
            && i.s2 == before.a
            && rules.commutative.contains(&i.opcode)
        {
            first = second;
        }
        operations.push(Operation {
            opcode: i.opcode,
            a: i.d,
            b: first.unwrap_or(Reg::RA),
            writes: registers.writes.is_some(),
            reads: first.is_some(),
        });
        goes_on = !i.opcode.info().ends_block && times.contains_key(&ProgramCounter(decoded.next_pc));
    }
    Ok(blocks)
}

/// Whether handlers do it: not what they leave to be done in any case.
fn can_be_fused(opcode: Opcode) -> bool {
    use Opcode as O;
    !matches!(opcode, O::Ecalli | O::Trap | O::Memset | O::Sbrk)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum How {
    Chain,
    Then,
}

/// A fused operation: what it makes longer, and by what.
type Row = (Kind, How, Opcode);

/// An operation, single or fused: an index into all names.
type Kind = usize;

/// All kinds of operations.
struct Fused {
    /// First those of single instructions, in their order.
    names: Vec<String>,
    /// The handlers that each consists of, as the list writes them.
    parts: Vec<String>,
    /// What each costs.
    costs: Vec<u32>,
    rows: HashMap<Row, Kind>,
    rules: Rules,
}

impl Fused {
    fn read(text: &str, rules: Rules) -> Result<Self, Box<dyn Error>> {
        let names: Vec<_> = Opcode::ALL.iter().map(|opcode| format!("{opcode:?}")).collect();
        let costs = vec![rules.dispatch; names.len()];
        let mut fused = Self { parts: names.clone(), names, costs, rows: HashMap::new(), rules };
        let rows = text.lines().map(str::trim).filter(|line| line.ends_with(")];"));
        for row in rows {
            let words: Vec<_> = row.split([' ', '=', '(', ')']).filter(|word| !word.is_empty()).collect();
            let [name, shorter, how, last, ..] = words[..] else {
                return Err(format!("no row: {row}").into());
            };
            let shorter =
                fused.kind(shorter).ok_or_else(|| format!("made longer before it is there: {row}"))?;
            let opcode = fused.kind(last).and_then(|kind| Opcode::ALL.get(kind));
            let how = if how == "Chain" { How::Chain } else { How::Then };
            let opcode = *opcode.ok_or_else(|| format!("no instruction: {row}"))?;
            if how == How::Chain && fused.rows.contains_key(&(shorter, How::Then, opcode)) {
                return Err(format!("the one without a chain comes first, and so always: {row}").into());
            }
            fused.add((shorter, how, opcode));
            if fused.names.last().is_none_or(|last| last != name) {
                return Err(format!("another name: {row}").into());
            }
        }
        Ok(fused)
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        self.names.iter().position(|known| known == name)
    }

    /// Adds a row, and gives it as the list writes it.
    fn add(&mut self, row: Row) -> String {
        let (shorter, how, last) = row;
        let into = if how == How::Chain { "_into" } else { "" };
        let name = format!("{}{into}_{last:?}", self.names[shorter]);
        let parts = format!("{} ({how:?} {last:?})", self.parts[shorter]);
        let line = format!("{name} = {} ({how:?} {last:?}) [{parts}]", self.names[shorter]);
        self.rows.insert(row, self.names.len());
        self.names.push(name);
        self.parts.push(parts);
        self.costs.push(self.longer_costs(self.costs[shorter], how));
        line
    }

    /// The kinds that can be executed at a place: the single one, and longer ones.
    fn at(&self, operations: &[Operation], at: usize) -> Vec<Kind> {
        let mut kinds = vec![operations[at].opcode as Kind];
        for next in at + 1..operations.len().min(at + self.rules.most) {
            let row = |how| self.rows.get(&(kinds[next - at - 1], how, operations[next].opcode));
            let chain = row(How::Chain).filter(|_| operations[next - 1].a == operations[next].b);
            let Some(&kind) = chain.or_else(|| row(How::Then)) else { break };
            kinds.push(kind);
        }
        kinds
    }

    /// What a block costs at least up to each place, and from each on.
    fn costs(&self, operations: &[Operation]) -> [Vec<u32>; 2] {
        let kinds: Vec<_> = (0..operations.len()).map(|at| self.at(operations, at)).collect();
        let mut to = vec![u32::MAX; operations.len() + 1];
        to[0] = 0;
        for (at, kinds) in kinds.iter().enumerate() {
            for (next, &kind) in (at + 1..).zip(kinds) {
                to[next] = to[next].min(to[at] + self.costs[kind]);
            }
        }
        let mut from = vec![0; operations.len() + 1];
        for (at, kinds) in kinds.iter().enumerate().rev() {
            let costs = (at + 1..).zip(kinds).map(|(next, &kind)| self.costs[kind] + from[next]);
            from[at] = costs.min().unwrap_or(0);
        }
        [to, from]
    }

    /// What an operation costs that makes one longer which costs this.
    fn longer_costs(&self, shorter: u32, how: How) -> u32 {
        if how == How::Chain { shorter - self.rules.link } else { shorter }
    }

    /// Takes the last row away.
    fn remove(&mut self, row: Row) {
        self.rows.remove(&row);
        self.names.pop();
        self.parts.pop();
        self.costs.pop();
    }
}

fn costs_of_a_hundred(blocks: &[Block], fused: &Fused, programs: usize) -> Vec<f64> {
    let mut sums = vec![0.0; programs];
    for block in blocks {
        sums[block.program] +=
            block.percent * f64::from(fused.costs(&block.operations)[1][0]) / f64::from(fused.rules.dispatch);
    }
    sums
}

/// The row that saves most, or two of which the second makes the first longer and each counts for half; and what they save together.
fn best_rows(blocks: &[Block], fused: &mut Fused) -> Option<(Vec<Row>, f64)> {
    let mut promising: Vec<_> = candidates(blocks, fused).into_iter().collect();
    promising.sort_by(|one, other| other.1.total_cmp(&one.1));
    promising.truncate(TRIED);
    let before = cost(blocks, fused);
    let tried = promising.into_iter().map(|((row, longer), _)| {
        let mut rows = vec![row];
        fused.add(row);
        if let Some((how, last)) = longer {
            rows.push((fused.names.len() - 1, how, last));
            fused.add(rows[1]);
        }
        let saved = before - cost(blocks, fused);
        rows.iter().rev().for_each(|&row| fused.remove(row));
        (rows, saved)
    });
    let each = |(rows, saved): &(Vec<Row>, f64)| saved / rows.len() as f64;
    tried.filter(|&(_, saved)| saved > 0.0).max_by(|one, other| each(one).total_cmp(&each(other)))
}

fn cost(blocks: &[Block], fused: &Fused) -> f64 {
    let costs = blocks.iter().map(|block| block.percent * f64::from(fused.costs(&block.operations)[1][0]));
    costs.sum::<f64>() / f64::from(fused.rules.dispatch)
}

/// A row, and perhaps another one that makes it longer.
type Candidate = (Row, Option<(How, Opcode)>);

/// Rows with what each of them seems to save: places where it would be used twice at once count twice.
fn candidates(blocks: &[Block], fused: &Fused) -> BTreeMap<Candidate, f64> {
    let how = |before: Operation, next: Operation| {
        if before.writes && next.reads && before.a == next.b { How::Chain } else { How::Then }
    };
    let mut candidates = BTreeMap::new();
    for Block { percent, operations, .. } in blocks {
        let [to, from] = fused.costs(operations);
        for at in 0..operations.len() {
            for (length, kind) in (1..fused.rules.most).zip(fused.at(operations, at)) {
                let end = at + length;
                let Some(&[before, next]) = operations.get(end - 1..=end) else { break };
                if !can_be_fused(operations[at].opcode) || !can_be_fused(next.opcode) {
                    break;
                }
                let row = (kind, how(before, next), next.opcode);
                if fused.rows.contains_key(&row) {
                    continue;
                }
                let mut promise = |longer, cost: u32, end: usize, rows: f64| {
                    let saved = from[0].saturating_sub(to[at] + cost + from[end]);
                    if saved > 0 {
                        *candidates.entry((row, longer)).or_default() += percent * f64::from(saved) / rows;
                    }
                };
                let cost = fused.longer_costs(fused.costs[kind], row.1);
                promise(None, cost, end + 1, 1.0);
                let last = operations.get(end + 1).filter(|last| can_be_fused(last.opcode));
                if let Some(&last) = last.filter(|_| length + 1 < fused.rules.most) {
                    let how = how(next, last);
                    promise(Some((how, last.opcode)), fused.longer_costs(cost, how), end + 2, 2.0);
                }
            }
        }
    }
    candidates
}
