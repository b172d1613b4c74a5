//! What `docs/processes.md` shows of guests is a guest that runs. Its other examples are documentation tests, or tests of the command.

use crate::common::{PLENTY, blob, engine};
use hatchery_scheduler::{Blobs, Limits, Program, RunMode, Scheduler, Status, Stop};

on_every_backend! {
    fn the_guest_of_the_document_runs(backend) {
        let document = include_str!("../../../docs/processes.md");
        let source = include_str!("../../../guests/process-greet/src/main.rs");
        let (_, code) = source.split_once("#![no_std]\n").unwrap();
        assert!(
            document.contains(&format!("```rust,ignore\n#![no_std]\n{code}```\n")),
            "docs/processes.md has not the text of guests/process-greet"
        );

        let programs = Blobs::new(engine(backend)).with("greet", blob("process-greet"));
        let mut tree = Scheduler::new(programs, Limits::default(), &Program::whole("greet"), b"").unwrap();
        assert_eq!(tree.run(RunMode::Limit(PLENTY)).unwrap(), Stop::Ended(Status::Exited(0)));
    }
}
