//! A Substrate runtime drives child machines, and everything that crosses the boundary is shown.
//!
//! Three parties: the *node*, which is this process with Hatchery in it; the *runtime*, which is Wasm and which the node
//! executes as it executes any runtime; and *guests*, PolkaVM programs that the runtime has and that the node runs for it.

mod screen;
mod stages;
mod traced;

use anstream::println;
use screen::Screen;
use std::process::ExitCode;

fn main() -> ExitCode {
    match stages::all(&mut Screen::default()) {
        Ok(totals) => {
            println!("\ndemo: ok - {totals}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("\ndemo: FAILED - {error}");
            ExitCode::FAILURE
        }
    }
}
