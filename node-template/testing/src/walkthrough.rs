//! A walk through everything that a contract does on a chain, with every claim checked: what the demo shows, and what a
//! test asserts.

use crate::{Chain, Committed, Contract, Error, Job, Limits, Metrics, Node, Weight, accounts, guests};
use serde_json::{Value as Json, json};
use subxt::utils::AccountId32;
use subxt_signer::sr25519::Keypair;

/// One token in its smallest unit.
const UNIT: u128 = 1_000_000_000_000;

/// What is shown on the way.
pub trait Show {
    /// A new part of the walk.
    fn title(&mut self, text: &str);
    /// Something to know about it.
    fn fact(&mut self, name: &str, value: &str);
    /// A claim that was checked.
    fn checked(&mut self, claim: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Show for Silent {
    fn title(&mut self, _text: &str) {}
    fn fact(&mut self, _name: &str, _value: &str) {}
    fn checked(&mut self, _claim: &str) {}
}

/// What came of a walk.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How many claims were checked.
    pub checks: usize,
    /// How many extrinsics were sent.
    pub extrinsics: usize,
    /// What they cost together, in the smallest unit.
    pub fees: u128,
    /// The contract, for those who go on with it.
    pub contract: Contract,
}

/// Uploads a program, makes an instance, calls it, lets it trap, revert and run out of gas, and looks each time at what
/// the chain stores and what everybody owns.
///
/// # Errors
/// If the node does not do what it is asked to, or a claim does not hold.
pub async fn walk(node: &Node, chain: &Chain, show: &mut dyn Show) -> Result<Summary, Error> {
    let mut walk = Walk { node, chain, show, user: accounts::alice(), checks: 0, extrinsics: 0, fees: 0 };

    let contract = walk.deploy().await?;
    walk.call(&contract).await?;
    walk.trap(&contract).await?;
    walk.revert(&contract).await?;
    walk.run_out_of_gas(&contract).await?;
    walk.compute_over_several_blocks().await?;
    walk.look_for_leaks()?;
    let Walk { checks, extrinsics, fees, .. } = walk;
    Ok(Summary { checks, extrinsics, fees, contract })
}

struct Walk<'a> {
    node: &'a Node,
    chain: &'a Chain,
    show: &'a mut dyn Show,
    user: Keypair,
    checks: usize,
    extrinsics: usize,
    fees: u128,
}

impl Walk<'_> {
    async fn deploy(&mut self) -> Result<Contract, Error> {
        self.show.title("Upload a program");
        self.show.fact("program", &format!("tally.polkavm, {} bytes of PolkaVM code", guests::TALLY.len()));
        let before = self.chain.account(&self.account()).await?;
        let (code_hash, upload) = Contract::upload(self.chain, &self.user, guests::TALLY).await?;
        self.sent(&upload);
        self.show.fact("code hash", &format!("{code_hash:?}"));
        let after = self.chain.account(&self.account()).await?;
        let deposit = upload.event("Virtualization", "CodeUploaded")?.number("deposit").unwrap_or_default();
        self.show.fact("deposit", &tokens(deposit));
        self.check(deposit > 0 && after.reserved == before.reserved + deposit, "the deposit is held")?;
        self.check(
            before.free == after.free + deposit + upload.fee,
            "who uploads pays the fee and the deposit, and nothing else",
        )?;

        self.show.title("Make an instance that starts to count at 40");
        let start = 40u64.to_le_bytes();
        let (contract, made) =
            Contract::instantiate(self.chain, &self.user, code_hash, [7; 32], &start).await?;
        self.sent(&made);
        self.show.fact("address", &contract.address.to_string());
        let count = self.count(&contract).await?;
        self.show.fact("storage", &format!("count = {count}"));
        self.check(count == 40, "the constructor stored its input")?;
        Ok(contract)
    }

    async fn call(&mut self, contract: &Contract) -> Result<(), Error> {
        self.show.title("Call it by an extrinsic");
        let dry_run = contract.dry_run(self.chain, &self.user, "increment", &[]).await?;
        self.show.fact("dry run needs", &time(dry_run.gas_required.ref_time));
        let returned =
            dry_run.result.map_err(|error| Error::Answer(format!("the dry run fails: {error}")))?;
        self.check(returned == 41u64.to_le_bytes(), "a dry run returns what a call would")?;
        self.check(self.count(contract).await? == 40, "a dry run changes nothing")?;

        let limits = Limits { gas: dry_run.gas_required, ..Limits::default() };
        let call = contract.call(self.chain, &self.user, "increment", &[], limits).await?.success()?;
        self.sent(&call);
        let emitted = call.event("Virtualization", "Emitted")?;
        self.check(
            emitted.bytes("data").as_deref() == Some(&41u64.to_le_bytes()[..]),
            "the guest's event is in the block",
        )?;
        let count = self.count(contract).await?;
        self.show.fact("storage", &format!("count = {count}, it was 40"));
        self.check(count == 41, "what the guest stored stays")?;
        Ok(())
    }

    async fn trap(&mut self, contract: &Contract) -> Result<(), Error> {
        self.show.title("Call an export that counts and then panics");
        let trace: Json = self
            .chain
            .request(
                "virtualization_trace",
                json!([{
                    "origin": self.account().to_string(),
                    "instance": contract.address.to_string(),
                    "export": "increment_and_panic",
                }]),
            )
            .await?;
        let call = &trace["calls"][0];
        let trap = &call["trap"];
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        // A program without names for its functions has those of its exports only.
        let symbol = trap["symbol"].as_str().map_or_else(String::new, |name| format!(", in {name}"));
        self.show.fact(
            "trace",
            &format!("{}: {} at pc {}{symbol}", text(&call["export"]), text(&trap["kind"]), trap["pc"]),
        );
        let syscalls: Vec<String> = call["syscalls"]
            .as_array()
            .map(|list| list.iter().map(|syscall| text(&syscall["symbol"])).collect())
            .unwrap_or_default();
        self.show.fact("syscalls", &syscalls.join(", "));
        self.check(
            trap["pc"].is_u64()
                && call["export"] == "increment_and_panic"
                && trap["kind"] == "trap instruction",
            "a trace tells which export trapped, where and why",
        )?;
        self.check(
            syscalls.iter().any(|name| name.starts_with("storage_set")),
            "a trace has the syscalls before it",
        )?;
        let limits = Limits::default();
        let call = self.fails(contract, "increment_and_panic", limits, "Trapped").await?;
        self.check(
            call.error.as_deref().is_some_and(|error| error.contains("kind: Trap")),
            "the error has the kind of the trap",
        )?;
        self.check(call.ref_time < limits.gas.ref_time / 2, "gas that it did not use is not paid for")?;
        Ok(())
    }

    async fn revert(&mut self, contract: &Contract) -> Result<(), Error> {
        self.show.title("Call an export that counts and then reverts");
        self.fails(contract, "increment_and_revert", Limits::default(), "Reverted").await?;
        Ok(())
    }

    async fn run_out_of_gas(&mut self, contract: &Contract) -> Result<(), Error> {
        self.show.title("Call an export that counts forever");
        let gas = Weight { ref_time: 20_000_000_000, proof_size: 1 << 20 };
        let limits = Limits { gas, ..Limits::default() };
        let call = self.fails(contract, "increment_forever", limits, "OutOfGas").await?;
        self.check(
            call.ref_time >= gas.ref_time / 2,
            "gas that was used is paid for, although nothing else stays",
        )?;
        Ok(())
    }

    async fn compute_over_several_blocks(&mut self) -> Result<(), Error> {
        const LIMIT: u64 = 2_000_000;
        const PRIMES_BELOW_LIMIT: u64 = 148_933;
        self.show.title("Start a job that counts the primes below 2,000,000");
        let (code_hash, upload) = Contract::upload(self.chain, &self.user, guests::PRIMES).await?;
        self.sent(&upload);
        let before = self.chain.account(&self.account()).await?;
        let gas = Weight { ref_time: 20_000_000_000, proof_size: 0 };
        let input = LIMIT.to_le_bytes();
        let job = Job::start(self.chain, &self.user, code_hash, b"primes", &input, gas, 60).await?;
        self.sent(&job.started);
        let held = job.held;
        self.show.fact("held", &tokens(held));

        // This node makes a block for each extrinsic, so something has to happen.
        let (mut block, mut blocks, mut fees) = (job.started.block, 0u32, job.started.fee);
        let finished = loop {
            blocks += 1;
            let Some(event) = job.slice_in(self.chain, block).await? else {
                return Err(Error::Answer(format!("the job had no slice in block {block:?}")));
            };
            let told = match (event.name.as_str(), event.number("slices")) {
                ("JobAdvanced", Some(slices)) => format!("slice {slices}; it goes on"),
                ("JobFinished", Some(slices)) => format!("slice {slices}; it has ended"),
                _ => short(&event.to_string()),
            };
            self.show.fact(&format!("block {blocks}"), &told);
            if event.name != "JobAdvanced" || blocks > 60 {
                break event;
            }
            let remark =
                self.chain.submit(&self.user, "System", "remark", (b"tick".to_vec(),)).await?.success()?;
            self.extrinsics += 1;
            self.fees += remark.fee;
            fees += remark.fee;
            block = remark.block;
        };
        self.check(finished.name == "JobFinished", "the job ends with a result")?;
        self.check(blocks > 2, "it took several blocks, with its memory stored in between")?;
        self.check(
            finished.bytes("output").as_deref() == Some(&PRIMES_BELOW_LIMIT.to_le_bytes()[..]),
            "there are 148,933 primes below 2,000,000",
        )?;
        let after = self.chain.account(&self.account()).await?;
        let paid = before.free.saturating_sub(after.free).saturating_sub(fees);
        self.show.fact("slices", &format!("{} paid for {blocks}", tokens(paid)));
        self.check(after.reserved == before.reserved, "nothing is held any more")?;
        self.check(paid > 0 && paid < held, "only the slices that it had are paid for")?;
        Ok(())
    }

    fn look_for_leaks(&mut self) -> Result<(), Error> {
        self.show.title("What the node says of its machines");
        let metrics: Metrics = self.node.metrics()?;
        for (name, value) in metrics.with_prefix("virtualization_") {
            if !name.contains("_bucket") && !name.contains("_seconds") {
                self.show.fact(name, &value.to_string());
            }
        }
        self.check(metrics.sum("virtualization_instances") == Some(0.0), "no machine is left over")?;
        self.check(
            metrics.sum("virtualization_host_failures_total") == Some(0.0),
            "the node itself never failed",
        )?;
        Ok(())
    }

    /// Sends a call that has to fail with this error and leave nothing behind but its fee.
    async fn fails(
        &mut self,
        contract: &Contract,
        export: &str,
        limits: Limits,
        error: &str,
    ) -> Result<Committed, Error> {
        let count = self.count(contract).await?;
        let before = self.chain.account(&self.account()).await?;
        let call = contract.call(self.chain, &self.user, export, &[], limits).await?;
        self.sent(&call);
        let said = call.error.clone().unwrap_or_default();
        self.check(
            said.contains(&format!("Virtualization::{error}")),
            &format!("it fails, and the chain says why: {error}"),
        )?;
        self.check(
            call.event("Virtualization", "Emitted").is_err(),
            "no event of the guest is in the block",
        )?;
        let after = self.chain.account(&self.account()).await?;
        self.show.fact("storage", &format!("count = {}, as before", self.count(contract).await?));
        self.check(self.count(contract).await? == count, "nothing that it stored stuck")?;
        self.check(
            after.reserved == before.reserved && before.free == after.free + call.fee,
            "deposits are as before, and the fee is all that it cost",
        )?;
        Ok(call)
    }

    /// Shows an extrinsic that is in a block.
    fn sent(&mut self, committed: &Committed) {
        self.extrinsics += 1;
        self.fees += committed.fee;
        self.show.fact("block", &format!("{:?}", committed.block));
        for event in committed.events.iter().filter(|event| event.pallet == "Virtualization") {
            self.show.fact("event", &short(&event.to_string()));
        }
        if let Some(error) = &committed.error {
            self.show.fact("error", error);
        }
        self.show.fact("gas", &format!("{} of weight used", time(committed.ref_time)));
        self.show.fact("fee", &tokens(committed.fee));
    }

    fn check(&mut self, holds: bool, claim: &str) -> Result<(), Error> {
        if !holds {
            return Err(Error::Answer(format!("this does not hold: {claim}")));
        }
        self.checks += 1;
        self.show.checked(claim);
        Ok(())
    }

    fn account(&self) -> AccountId32 {
        self.user.public_key().to_account_id()
    }

    async fn count(&self, contract: &Contract) -> Result<u64, Error> {
        count(self.chain, contract).await
    }
}

/// The count that an instance of `tally` stores.
///
/// # Errors
/// If the node does not answer, or the instance is of another program.
pub async fn count(chain: &Chain, contract: &Contract) -> Result<u64, Error> {
    let stored = contract.storage(chain, guests::TALLY_COUNT).await?;
    let bytes = stored.as_deref().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    bytes.map(u64::from_le_bytes).ok_or_else(|| Error::Answer(format!("the count is {stored:?}")))
}

/// An amount for people.
pub fn tokens(amount: u128) -> String {
    format!("{}.{:012} HATCH", amount / UNIT, amount % UNIT)
}

/// A weight for people.
fn time(picoseconds: u64) -> String {
    format!("{}.{:03} ms", picoseconds / 1_000_000_000, picoseconds / 1_000_000 % 1_000)
}

/// An event on one line.
fn short(text: &str) -> String {
    const WIDTH: usize = 160;
    match text.char_indices().nth(WIDTH) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_readable() {
        assert_eq!(tokens(1_500_000_000_000), "1.500000000000 HATCH");
        assert_eq!(tokens(7), "0.000000000007 HATCH");
        assert_eq!(time(20_000_000_000), "20.000 ms");
        assert_eq!(time(1_234_567), "0.001 ms");
    }
}
