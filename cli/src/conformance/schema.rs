//! The formats of vectors, and the one form they are brought into.
//!
//! | kind | told by | what it says |
//! |---|---|---|
//! | stepped | `steps` | what to do with an instance, one after the other; mostly with `block-gas-costs` |
//! | one-shot | `expected-*` | the state before (`initial-*`) and after (`expected-*`) one run |
//! | block costs | `block-gas-costs` alone | what the blocks of a program cost; it is not run |
//!
//! A one-shot case is a stepped one: map pages, write memory, set registers, run, assert.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A vector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The program: jump table, code and bitmask.
    pub program: Vec<u8>,
    /// Where the first run begins.
    pub initial_pc: u32,
    /// The gas before the first run.
    pub initial_gas: i64,
    /// What to do.
    pub steps: Vec<Step>,
    /// The first of the steps that the file lists itself, if it does; those before it follow from other fields.
    pub first_listed: Option<usize>,
    /// Costs of blocks. Blocks that are not listed can cost anything.
    pub block_costs: Vec<BlockCost>,
}

/// Something to do with an instance.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Make pages accessible.
    #[serde(rename_all = "kebab-case")]
    Map {
        /// Start of the first page.
        address: u32,
        /// Length in bytes.
        length: u64,
        /// Whether the program may write there.
        is_writable: bool,
    },
    /// Write memory, even where the program may not.
    Write(Chunk),
    /// Set a register.
    SetReg {
        /// Its number.
        reg: u8,
        /// Its value.
        value: u64,
    },
    /// Run until something stops it.
    Run {},
    /// Compare the state with what it should be.
    Assert(Assert),
}

/// The state that an instance should be in.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Assert {
    /// Why it stopped.
    pub status: Status,
    /// The number of the host call it stopped at.
    pub hostcall: Option<u32>,
    /// Start of the page it could not access.
    pub page_fault_address: Option<u32>,
    /// The gas left.
    pub gas: i64,
    /// Where it stopped.
    pub pc: u32,
    /// Its registers.
    pub regs: [u64; 13],
    /// Parts of its memory.
    pub memory: Vec<Chunk>,
}

/// Why an instance stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the format")]
pub enum Status {
    Halt,
    Panic,
    Ecalli,
    OutOfGas,
    PageFault,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Halt => "halt",
            Self::Panic => "panic",
            Self::Ecalli => "ecalli",
            Self::OutOfGas => "out-of-gas",
            Self::PageFault => "page-fault",
        })
    }
}

/// Bytes at an address.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// Where the first one is.
    pub address: u32,
    /// The bytes.
    pub contents: Vec<u8>,
}

/// What a block costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockCost {
    /// Where it starts.
    pub pc: u32,
    /// Its cost in gas.
    pub cost: u32,
}

/// Why a file is no vector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// It is no JSON, or a field has another type than it should have.
    #[error("not a vector: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of none of the known kinds.
    #[error(
        "not a vector of a known kind: {problem}. A vector is an object with `program` and either `steps` (a stepped one), \
         `initial-*` and `expected-*` (a one-shot one), or `block-gas-costs` alone"
    )]
    UnknownKind {
        /// What is not as it should be.
        problem: &'static str,
    },
    /// A field is missing that its kind has.
    #[error("the field `{field}` is missing, which a {kind} vector has")]
    Missing {
        /// Its name.
        field: &'static str,
        /// The kind of the vector.
        kind: &'static str,
    },
    /// A field is not known, so that what it says would not be done or not be checked.
    #[error("the field `{field}` is not known")]
    UnknownField {
        /// Its name.
        field: String,
    },
}

impl Case {
    /// Reads a vector.
    ///
    /// # Errors
    /// If it is none, or has a field that is not known.
    pub fn parse(json: &[u8]) -> Result<Self, CaseError> {
        // Said before types of fields are complained about.
        match serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(json) {
            Ok(fields) if !fields.contains_key("program") => {
                return Err(CaseError::UnknownKind { problem: "`program` is missing" });
            }
            Err(error) if error.is_data() => {
                return Err(CaseError::UnknownKind { problem: "it is no object" });
            }
            _ => {}
        }
        let mut file: File = serde_json::from_slice(json)?;
        if let Some((field, _)) = file.rest.pop_first() {
            return Err(CaseError::UnknownField { field });
        }
        let listed = file.steps.take();
        let expects = file.expects();
        let kind = match (&listed, expects, &file.block_gas_costs) {
            (Some(_), ..) => "stepped",
            (None, true, _) => "one-shot",
            (None, false, Some(_)) => "block cost",
            (None, false, None) => {
                let problem = "none of `steps`, `expected-*` and `block-gas-costs` is there";
                return Err(CaseError::UnknownKind { problem });
            }
        };
        let is_run = kind != "block cost";
        let required = |value: Option<i64>, field| match value {
            Some(value) => Ok(value),
            None if is_run => Err(CaseError::Missing { field, kind }),
            None => Ok(0),
        };
        let initial_gas = required(file.initial_gas, "initial-gas")?;
        let initial_pc = required(file.initial_pc.map(i64::from), "initial-pc")? as u32;

        let mut steps = file.preparation();
        let first_listed = listed.is_some().then_some(steps.len());
        match listed {
            Some(listed) => steps.extend(listed),
            None if is_run => steps.push(Step::Run {}),
            None => {}
        }
        if expects {
            steps.push(Step::Assert(file.expectation(kind)?));
        }
        let block_costs = file.block_gas_costs.map(|costs| costs.0).unwrap_or_default();
        Ok(Self { program: file.program, initial_pc, initial_gas, steps, first_listed, block_costs })
    }
}

/// All fields of all kinds.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    program: Vec<u8>,
    #[serde(rename = "name")]
    _name: Option<String>,
    initial_pc: Option<u32>,
    initial_gas: Option<i64>,
    initial_regs: Option<[u64; 13]>,
    #[serde(default)]
    initial_page_map: Vec<Pages>,
    #[serde(default)]
    initial_memory: Vec<Chunk>,
    steps: Option<Vec<Step>>,
    block_gas_costs: Option<BlockCosts>,
    expected_status: Option<Status>,
    expected_regs: Option<[u64; 13]>,
    expected_pc: Option<u32>,
    expected_memory: Option<Vec<Chunk>>,
    expected_gas: Option<i64>,
    expected_page_fault_address: Option<u32>,
    expected_hostcall: Option<u32>,
    #[serde(flatten)]
    rest: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Pages {
    address: u32,
    length: u64,
    is_writable: bool,
}

/// Costs of blocks: newer files have a list, older ones a map from pc to cost.
struct BlockCosts(Vec<BlockCost>);

impl<'de> Deserialize<'de> for BlockCosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrMap;

        impl<'de> Visitor<'de> for ListOrMap {
            type Value = BlockCosts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of `pc` and `cost`, or a map from pc to cost")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BlockCosts, A::Error> {
                let mut costs = Vec::new();
                while let Some(cost) = list.next_element()? {
                    costs.push(cost);
                }
                Ok(BlockCosts(costs))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BlockCosts, A::Error> {
                let mut costs = Vec::new();
                while let Some((pc, cost)) = map.next_entry()? {
                    costs.push(BlockCost { pc, cost });
                }
                Ok(BlockCosts(costs))
            }
        }

        deserializer.deserialize_any(ListOrMap)
    }
}

impl File {
    /// Whether there is a field that says how the program should end.
    fn expects(&self) -> bool {
        self.expected_status.is_some()
            || self.expected_regs.is_some()
            || self.expected_pc.is_some()
            || self.expected_memory.is_some()
            || self.expected_gas.is_some()
            || self.expected_page_fault_address.is_some()
            || self.expected_hostcall.is_some()
    }

    /// The steps that lead to the state before the first run.
    fn preparation(&mut self) -> Vec<Step> {
        let maps = self.initial_page_map.drain(..);
        let maps =
            maps.map(|Pages { address, length, is_writable }| Step::Map { address, length, is_writable });
        let writes = self.initial_memory.drain(..).map(Step::Write);
        let regs = self.initial_regs.iter().flatten().zip(0..);
        let regs = regs.map(|(&value, reg)| Step::SetReg { reg, value });
        maps.chain(writes).chain(regs).collect()
    }

    fn expectation(&mut self, kind: &'static str) -> Result<Assert, CaseError> {
        let missing = |field| CaseError::Missing { field, kind };
        Ok(Assert {
            status: self.expected_status.ok_or(missing("expected-status"))?,
            hostcall: self.expected_hostcall,
            page_fault_address: self.expected_page_fault_address,
            gas: self.expected_gas.ok_or(missing("expected-gas"))?,
            pc: self.expected_pc.ok_or(missing("expected-pc"))?,
            regs: self.expected_regs.ok_or(missing("expected-regs"))?,
            memory: self.expected_memory.take().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Case, CaseError> {
        Case::parse(text.as_bytes())
    }

    #[test]
    fn a_one_shot_case_is_a_list_of_steps() {
        let case = parse(
            r#"{"name": "x", "program": [0, 0, 1, 0, 1], "initial-pc": 3, "initial-gas": 9,
            "initial-regs": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18446744073709551615],
            "initial-page-map": [{"address": 65536, "length": 4096, "is-writable": false}],
            "initial-memory": [{"address": 65536, "contents": [7]}],
            "expected-status": "page-fault", "expected-regs": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
            "expected-pc": 4, "expected-gas": 5, "expected-memory": [], "expected-page-fault-address": 69632,
            "block-gas-costs": {"0": 2}}"#,
        )
        .unwrap();
        assert_eq!((case.initial_pc, case.initial_gas, case.first_listed), (3, 9, None));
        assert_eq!(case.block_costs, [BlockCost { pc: 0, cost: 2 }]);
        assert_eq!(case.steps.len(), 1 + 1 + 13 + 2);
        assert_eq!(case.steps[0], Step::Map { address: 65536, length: 4096, is_writable: false });
        assert_eq!(case.steps[1], Step::Write(Chunk { address: 65536, contents: vec![7] }));
        assert_eq!(case.steps[14], Step::SetReg { reg: 12, value: u64::MAX });
        assert_eq!(case.steps[15], Step::Run {});
        let Step::Assert(assert) = &case.steps[16] else { panic!("no assertion") };
        assert_eq!(
            (assert.status, assert.page_fault_address, assert.pc),
            (Status::PageFault, Some(69632), 4)
        );
    }

    #[test]
    fn block_costs_alone_need_nothing_else() {
        let case = parse(r#"{"program": [0], "block-gas-costs": [{"pc": 1, "cost": 2}]}"#).unwrap();
        assert_eq!((case.steps.len(), case.block_costs.len()), (0, 1));
    }

    #[test]
    fn steps_can_follow_an_initial_state_and_precede_an_expected_one() {
        let case = parse(
            r#"{"program": [0], "initial-pc": 0, "initial-gas": 0, "initial-memory": [{"address": 65536, "contents": []}],
            "steps": [{"run": {}}], "expected-status": "halt", "expected-gas": 0, "expected-pc": 0,
            "expected-regs": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}"#,
        )
        .unwrap();
        assert_eq!((case.first_listed, case.steps.len()), (Some(1), 3));
        assert_eq!(case.steps[1], Step::Run {});
    }

    #[test]
    fn what_is_no_vector_says_why() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert!(error("").starts_with("not a vector: EOF"));
        for (text, problem) in
            [("[]", "it is no object"), ("7", "it is no object"), ("{}", "`program` is missing")]
        {
            let message = error(text);
            assert!(
                message.starts_with(&format!("not a vector of a known kind: {problem}. A vector is ")),
                "{message}"
            );
        }
        assert!(error(r#"{"program": []}"#).contains("of a known kind"));
        assert!(error(r#"{"program": [256], "steps": []}"#).contains("256"));
        let costs = |costs: &str| error(&format!(r#"{{"program": [], "block-gas-costs": {costs}}}"#));
        assert!(costs("7").contains("expected a list of `pc` and `cost`"));
        assert!(costs(r#"{"x": 1}"#).contains("expected key to be a number"));
        assert!(costs(r#"[{"pc": 1}]"#).contains("missing field `cost`"));
        assert!(
            error(r#"{"program": [], "steps": [], "initial-pc": 0}"#).contains("`initial-gas` is missing")
        );
        let step = |step: &str| error(&format!(r#"{{"program": [], "steps": [{step}]}}"#));
        assert!(step(r#"{"jump": {}}"#).contains("unknown variant `jump`"));
        assert!(step(r#"{"set-reg": {"reg": 1, "value": 2, "more": 3}}"#).contains("unknown field `more`"));
        assert_eq!(
            error(r#"{"program": [], "block-gas-costs": [], "expected-heap": 0}"#),
            "the field `expected-heap` is not known"
        );
        assert_eq!(
            error(r#"{"program": [], "inital-gas": 1, "block-gas-costs": []}"#),
            "the field `inital-gas` is not known"
        );
        assert_eq!(error(r#"{"program": [], "steps": [], "x": 1}"#), "the field `x` is not known");
        let one_shot = r#"{"program": [], "initial-pc": 0, "initial-gas": 0, "expected-status": "halt"}"#;
        let forgotten =
            r#"{"program": [], "initial-pc": 0, "initial-gas": 0, "block-gas-costs": [], "expected-gas": 1}"#;
        assert_eq!(error(forgotten), "the field `expected-status` is missing, which a one-shot vector has");
        assert_eq!(error(one_shot), "the field `expected-gas` is missing, which a one-shot vector has");
    }
}
