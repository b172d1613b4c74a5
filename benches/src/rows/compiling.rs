//! What compiling costs.

use super::Run;
use crate::programs;
use crate::results::Section;
use anyhow::Result;

/// Sizes of generated code, in bytes.
const SIZES: [(usize, &str); 4] =
    [(1 << 10, "1 KiB"), (64 << 10, "64 KiB"), (1 << 20, "1 MiB"), (4 << 20, "4 MiB")];

/// Programs whose blocks generated code is made of.
const SOURCES: [&str; 4] = ["allocate", "sort", "ed25519", "secp256k1"];

/// Programs that are compiled as they are.
const PROGRAMS: [&str; 3] = ["primes", "ed25519", "secp256k1"];

pub(super) fn section(run: &Run) -> Result<Section> {
    let mut rows = Vec::new();
    for (size, name) in SIZES {
        let id = format!("compile-{}", name.to_lowercase().replace(' ', "-"));
        if !run.wants(&id) {
            continue;
        }
        let blobs = SOURCES.map(|name| run.program(name).map(|program| program.polkavm));
        let blobs = blobs.into_iter().collect::<Result<Vec<_>>>()?;
        let (blob, instructions) = programs::generate(&blobs, size)?;
        let title = format!("one of {instructions} instructions, {name} of code");
        rows.push(run.row(&id, title, instructions as f64, |engine| {
            let Some(first) = engine.compile_polkavm(&blob) else { return Ok(None) };
            first?;
            let blob = blob.clone();
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    if let Some(module) = engine.compile_polkavm(&blob) {
                        drop(std::hint::black_box(module?));
                    }
                }
                Ok(())
            })))
        }));
    }
    for name in PROGRAMS {
        let id = format!("compile-{name}");
        if !run.wants(&id) {
            continue;
        }
        let program = run.program(name)?;
        rows.push(run.row(&id, format!("the program `{name}`, whole"), 1.0, |engine| {
            if !engine.has_instances() {
                return Ok(None);
            }
            drop(engine.compile(&program)?);
            let program = program.clone();
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    drop(std::hint::black_box(engine.compile(&program)?));
                }
                Ok(())
            })))
        }));
        let id = format!("first-{name}");
        let argument = if name == "primes" { 10_000 } else { 1 };
        rows.push(run.row(&id, format!("compile `{name}`, instantiate, one call"), 1.0, |engine| {
            if !engine.has_instances() {
                return Ok(None);
            }
            let answer = engine.compile(&program)?.instantiate()?.call(argument)?;
            let program = program.clone();
            Ok(Some(Box::new(move |times| {
                for _ in 0..times {
                    let found = engine.compile(&program)?.instantiate()?.call(argument)?;
                    anyhow::ensure!(found == answer, "the answer is {found:#x}, before it was {answer:#x}");
                }
                Ok(())
            })))
        }));
    }
    Ok(Section {
        id: "compiling".into(),
        title: "Compiling".into(),
        text: "From bytes to what instances can be made of. Interpreters of PolkaVM programs leave most of it to the first execution: the rows \
               with a call include that. Generated code consists of the blocks of real programs. javm's recompiler has nothing between \
               compiling and an instance: in the rows of generated code an instance is made and dropped, and compiling a whole program without \
               one means nothing."
            .into(),
        rows,
    })
}
