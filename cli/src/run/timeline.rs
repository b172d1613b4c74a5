//! A schedule as a timeline in the format of Chrome's trace viewer, which Perfetto reads too.
//!
//! Time is gas: a microsecond of the timeline is one gas. Each process has a row: what it ran up to each of its calls, and what
//! it waited for in between.

use std::collections::BTreeMap;

use hatchery_scheduler::{Call, Entry, Event, Trace};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::text;

#[derive(Serialize)]
struct Timeline {
    #[serde(rename = "displayTimeUnit")]
    unit: &'static str,
    #[serde(rename = "traceEvents")]
    events: Vec<Value>,
}

/// The timeline as JSON.
pub(super) fn timeline(trace: &Trace) -> String {
    let mut events = vec![metadata("process_name", 0, "processes (1 us is 1 gas)")];
    let mut blocked = BTreeMap::<u64, (u64, Call)>::new();
    let mut last = 0;
    for (Entry { process, gas, event }, slice) in trace.slices() {
        let row = process.0;
        last = *gas;
        let mut run = |name: String, more: &[(&str, Value)]| {
            if let Some(slice) = &slice {
                events.push(span(&name, row, slice.start, slice.end, more));
            }
        };
        match event {
            Event::Started { program, .. } => {
                let name = format!("process {row} {}", text::symbol(&program.identifier));
                events.push(metadata("thread_name", row, &name));
            }
            Event::Returned { call, value } => run(call.to_string(), &[("returned", json!(value))]),
            Event::Blocked { call } => {
                run(call.to_string(), &[]);
                blocked.insert(row, (*gas, *call));
            }
            Event::Woken { value } => {
                if let Some((since, call)) = blocked.remove(&row) {
                    let more = [("returned", json!(value))];
                    events.push(span(&format!("blocked in {call}"), row, since, *gas, &more));
                }
            }
            Event::Executed { program } => {
                run(format!("process_exec {}", text::symbol(&program.identifier)), &[]);
            }
            Event::Surfaced { number } => run(format!("syscall {number}"), &[]),
            Event::Ended { status, .. } => run(status.to_string(), &[]),
        }
    }
    for (row, (since, call)) in blocked {
        events.push(span(&format!("blocked in {call}"), row, since, last, &[("for ever", json!(true))]));
    }
    let timeline = Timeline { unit: "ns", events };
    // Strings and numbers do not fail to be written.
    serde_json::to_string(&timeline).unwrap_or_default()
}

fn span(name: &str, row: u64, from: u64, to: u64, more: &[(&str, Value)]) -> Value {
    let details: Map<String, Value> =
        more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    json!({ "name": name, "ph": "X", "pid": 0, "tid": row, "ts": from, "dur": to - from, "args": details })
}

fn metadata(kind: &str, row: u64, name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": 0, "tid": row, "args": { "name": name } })
}
