//! Starts a child, which says hello through a pipe. The example of `docs/processes.md`.
#![no_std]
#![no_main]

use processes::{pipe, Command, Status, Writer};

processes::main!(start);

fn start(arguments: &'static [u8]) -> i8 {
    if arguments == b"child" {
        let mut descriptors = [0; 1];
        processes::inherited(&mut descriptors);
        let writer = Writer::from_descriptor(descriptors[0]);
        return writer.write(b"hello").map_or(1, |()| 0);
    }
    let Ok((reader, writer)) = pipe() else { return 1 };
    let child = Command::new(b"greet").arguments(b"child").descriptors(&[writer.give()]).spawn();
    let mut greeting = [0; 5];
    let is_read = reader.read_exact(&mut greeting) == Ok(()) && &greeting == b"hello";
    let has_ended = child.and_then(|child| child.wait()) == Ok(Status::Exited(0));
    i8::from(!(is_read && has_ended))
}
