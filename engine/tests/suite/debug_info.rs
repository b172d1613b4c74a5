//! Names of functions and lines of sources, in a guest that is not stripped: the same as polkavm reads there.

use crate::common::guest;
use hatchery_engine::program::DebugInfo;
use hatchery_engine::{Config, Engine};
use polkavm_033::{ProgramBlob, ProgramCounter};

/// Namespace, function, path, line and column.
type Frame = (String, String, String, u32, u32);

fn ours(info: &DebugInfo<'_>, pc: u32) -> Vec<Frame> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let frames = info.frames_at(pc).into_iter();
    frames
        .map(|frame| {
            (text(frame.namespace), text(frame.function), text(frame.path), frame.line, frame.column)
        })
        .collect()
}

/// Innermost first.
fn theirs(blob: &ProgramBlob, pc: u32) -> Vec<Frame> {
    let Some(mut program) = blob.get_debug_line_program_at(ProgramCounter(pc)).unwrap() else {
        return Vec::new();
    };
    while let Some(region) = program.run().unwrap() {
        if !region.instruction_range().contains(&ProgramCounter(pc)) {
            continue;
        }
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let mut frames: Vec<Frame> = region
            .frames()
            .map(|frame| {
                (
                    text(frame.namespace().unwrap()),
                    text(frame.function_name_without_namespace().unwrap()),
                    text(frame.path().unwrap()),
                    frame.line().unwrap_or(0),
                    frame.column().unwrap_or(0),
                )
            })
            .collect();
        frames.reverse();
        return frames;
    }
    Vec::new()
}

#[test]
fn every_instruction_has_the_frames_that_polkavm_finds() {
    let blob = guest("jam-v1-with-lines", "traps");
    let info = DebugInfo::from_container(&blob).expect("the guest is not stripped");
    let parsed = ProgramBlob::parse(blob.clone().into()).unwrap();
    let module = Engine::new(Config::default()).unwrap().compile(&blob).unwrap();
    let mut named = 0;
    let pcs =
        module.instructions().map(|instruction| instruction.pc).chain([module.code().length(), u32::MAX]);
    for pc in pcs {
        let frames = ours(&info, pc);
        assert_eq!(frames, theirs(&parsed, pc), "pc {pc:#x}");
        named += usize::from(frames.iter().any(|(_, function, ..)| !function.is_empty()));
    }
    // polkavm-linker finds no lines in what this guest's compiler writes, names only; lines are tested in the `debug` module.
    assert!(named > 20, "{named}");
}

#[test]
fn a_stripped_guest_has_none() {
    assert!(DebugInfo::from_container(&guest("jam-v1", "traps")).is_none());
    // The rest of it is the same program.
    let engine = Engine::new(Config::default()).unwrap();
    let [stripped, whole] =
        ["jam-v1", "jam-v1-with-lines"].map(|set| engine.compile(&guest(set, "traps")).unwrap());
    assert_eq!(stripped.code().bytes(), whole.code().bytes());
}
