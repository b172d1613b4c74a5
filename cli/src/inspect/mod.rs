//! `hatchery inspect`: what a program consists of.

mod draw;
mod facts;

use std::io::Write;

use hatchery_engine::Config;

use crate::args::InspectArguments;
use crate::error::Error;
use crate::program::load;
use crate::status::Status;

use facts::Facts;

/// Runs `hatchery inspect`.
pub(crate) fn inspect(arguments: &InspectArguments, out: &mut dyn Write) -> Result<Status, Error> {
    let loaded = load(&arguments.program, Config::default())?;
    let facts = Facts::new(&loaded, arguments.blocks);
    if arguments.json {
        let mut out = std::io::BufWriter::new(out);
        serde_json::to_writer_pretty(&mut out, &facts).map_err(std::io::Error::from)?;
        writeln!(out)?;
        out.flush()?;
    } else {
        out.write_all(draw::text(&facts).as_bytes())?;
    }
    Ok(Status::Success)
}
