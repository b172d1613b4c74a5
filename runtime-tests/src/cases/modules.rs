//! Modules from bytes, identifiers and storage, and the status that a runtime charges by.

use super::{Case, Comparison, cases, guests};
use hatchery_test_runtime::{
    outcome::{Answer, End, ModuleFailure, Request, Transaction},
    scenario,
};

const START: Request = Request::Transaction(Transaction::Start);
const COMMIT: Request = Request::Transaction(Transaction::Commit);
const ROLLBACK: Request = Request::Transaction(Transaction::Rollback);
const ROLLBACKS: Comparison = Comparison::OtherManager("upstream's cache outlives the layer that filled it");

const INVALID: Seen = Seen::Refused(ModuleFailure::InvalidImage);
const NOT_CACHED: Seen = Seen::Refused(ModuleFailure::NotCached);
const NOT_FOUND: Seen = Seen::Refused(ModuleFailure::NotFound);

cases! {
    identifier_is_cached = Case::new(
        requests([bytes(1, Some(b"a")), bytes(1, Some(b"a")), lookup(b"a"), lookup(b"b")]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Cached(1), Seen::Found(1), NOT_CACHED]),
    );

    no_identifier_is_not_cached = Case::new(
        requests([bytes(1, None), bytes(1, None), lookup(b""), key(b"", b"")]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Compiled(1), NOT_CACHED, NOT_FOUND]),
    );

    /// An empty identifier is one, unlike none.
    empty_identifier = Case::new(
        requests([bytes(1, Some(b"")), bytes(2, Some(b"")), lookup(b"")]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Cached(1), Seen::Found(1)]),
    );

    /// Whoever chooses identifiers answers for them: the bytes are not looked at.
    identifier_decides_over_the_bytes = Case::new(
        requests([bytes(1, Some(b"a")), bytes(2, Some(b"a")), bytes(2, Some(b"b")), garbage(Some(b"a"))]),
        |answers| {
            assert_eq!(
                seen(&answers),
                [Seen::Compiled(1), Seen::Cached(1), Seen::Compiled(2), Seen::Cached(1)]
            );
        },
    );

    garbage_is_refused_and_not_cached = Case::new(
        requests([garbage(Some(b"a")), lookup(b"a"), garbage(None), bytes(1, Some(b"a"))]),
        |answers| assert_eq!(seen(&answers), [INVALID, NOT_CACHED, INVALID, Seen::Compiled(1)]),
    );

    broken_programs_are_refused = Case::new(
        scenario::modules(broken_programs(), b"main".to_vec()),
        |answers| assert_eq!(seen(&answers), vec![INVALID; broken_programs().len()]),
    );

    storage_key_in_the_main_trie = Case::new(
        requests([key(b"code", b""), key(b"code", b""), lookup(b"code"), key(b"other", b"")]),
        |answers| {
            assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Cached(1), Seen::Found(1), NOT_FOUND]);
        },
    )
    .stored(b"code", guests::marked(1));

    storage_key_in_a_child_trie = Case::new(
        requests([key(b"code", b"child"), key(b"code", b"child"), key(b"code\0", b"child")]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Cached(1), NOT_FOUND]),
    )
    .stored_in_child(b"child", b"code", guests::marked(1));

    /// One key in the main trie and in two child tries: three programs.
    same_key_in_several_tries = Case::new(
        requests([
            key(b"code", b""),
            key(b"code", b"a"),
            key(b"code", b"b"),
            key(b"code", b"b"),
            key(b"code", b"c"),
            lookup(b"code"),
        ]),
        |answers| {
            let expected = [
                Seen::Compiled(1),
                Seen::Compiled(2),
                Seen::Compiled(3),
                Seen::Cached(3),
                NOT_FOUND,
                Seen::Found(1),
            ];
            assert_eq!(seen(&answers), expected);
        },
    )
    .stored(b"code", guests::marked(1))
    .stored_in_child(b"a", b"code", guests::marked(2))
    .stored_in_child(b"b", b"code", guests::marked(3))
    .compared(Comparison::OtherHostFunctions("upstream's cache key lacks the child trie, so that it runs program 1 throughout"));

    /// `lookup` does not read storage.
    lookup_is_pure = Case::new(
        requests([lookup(b"code"), key(b"code", b""), lookup(b"code")]),
        |answers| assert_eq!(seen(&answers), [NOT_CACHED, Seen::Compiled(1), Seen::Found(1)]),
    )
    .stored(b"code", guests::marked(1));

    /// An identifier and a key of the main trie are one namespace.
    identifier_and_storage_key = Case::new(
        requests([bytes(1, Some(b"code")), key(b"code", b""), bytes(3, Some(b"code"))]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Cached(1), Seen::Cached(1)]),
    )
    .stored(b"code", guests::marked(2));

    missing_code = Case::new(
        requests([key(b"code", b""), key(b"code", b"child"), key(b"", b"")]),
        |answers| assert_eq!(seen(&answers), [NOT_FOUND; 3]),
    );

    garbage_in_storage = Case::new(
        requests([key(b"code", b""), key(b"code", b""), key(b"empty", b""), key(b"code", b"child")]),
        |answers| assert_eq!(seen(&answers), [INVALID; 4]),
    )
    .stored(b"code", b"no program".to_vec())
    .stored(b"empty", Vec::new())
    .stored_in_child(b"child", b"code", b"no program either".to_vec());

    /// What the runtime has just stored is found before the block ends.
    code_stored_by_the_runtime = Case::new(
        requests([
            key(b"code", b""),
            Request::Store { key: b"code".to_vec(), value: guests::marked(1) },
            key(b"code", b""),
            Request::StoreInChild { child_trie: b"child".to_vec(), key: b"new".to_vec(), value: guests::marked(2) },
            key(b"new", b"child"),
        ]),
        |answers| {
            let expected = [NOT_FOUND, Seen::Done, Seen::Compiled(1), Seen::Done, Seen::Compiled(2)];
            assert_eq!(seen(&answers), expected);
        },
    );

    /// Code that is overwritten in a block is served from the cache until the block ends.
    overwritten_code_stays_cached = Case::new(
        requests([
            key(b"code", b""),
            Request::Store { key: b"code".to_vec(), value: guests::marked(2) },
            key(b"code", b""),
        ]),
        |answers| assert_eq!(seen(&answers), [Seen::Compiled(1), Seen::Done, Seen::Cached(1)]),
    )
    .stored(b"code", guests::marked(1));

    identifier_of_a_committed_layer = Case::new(
        requests([START, bytes(1, Some(b"a")), COMMIT, lookup(b"a")]),
        |answers| {
            assert_eq!(seen(&answers), [Seen::Done, Seen::Compiled(1), Seen::Done, Seen::Found(1)]);
        },
    );

    identifier_of_a_layer_that_is_rolled_back = Case::new(
        requests([
            bytes(1, Some(b"before")),
            START,
            bytes(2, Some(b"outer")),
            START,
            bytes(3, Some(b"inner")),
            lookup(b"inner"),
            ROLLBACK,
            lookup(b"inner"),
            lookup(b"outer"),
            ROLLBACK,
            lookup(b"outer"),
            lookup(b"before"),
            bytes(2, Some(b"outer")),
        ]),
        |answers| {
            let expected = [
                Seen::Compiled(1),
                Seen::Done,
                Seen::Compiled(2),
                Seen::Done,
                Seen::Compiled(3),
                Seen::Found(3),
                Seen::Done,
                NOT_CACHED,
                Seen::Found(2),
                Seen::Done,
                NOT_CACHED,
                Seen::Found(1),
                Seen::Compiled(2),
            ];
            assert_eq!(seen(&answers), expected);
        },
    )
    .compared(ROLLBACKS);

    /// The key goes with the code: nothing is left that a node which did not see the layer would not have.
    code_that_is_rolled_back = Case::new(
        requests([
            START,
            Request::Store { key: b"code".to_vec(), value: guests::marked(1) },
            key(b"code", b""),
            ROLLBACK,
            key(b"code", b""),
        ]),
        |answers| {
            let expected = [Seen::Done, Seen::Done, Seen::Compiled(1), Seen::Done, NOT_FOUND];
            assert_eq!(seen(&answers), expected);
        },
    )
    .compared(ROLLBACKS);

    long_keys_and_identifiers = Case::new(
        requests([bytes(1, Some(&[7; 5000])), lookup(&[7; 5000]), lookup(&[7; 4999]), key(&[8; 5000], b"")]),
        |answers| {
            assert_eq!(
                seen(&answers),
                [Seen::Compiled(1), Seen::Found(1), NOT_CACHED, Seen::Compiled(2)]
            );
        },
    )
    .stored(&[8; 5000], guests::marked(2));
}

/// An answer, with the mark of the program that was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Cached(u64),
    Compiled(u64),
    Found(u64),
    Refused(ModuleFailure),
    Done,
}

fn seen(answers: &[Answer]) -> Vec<Seen> {
    let mark = |run: &hatchery_test_runtime::outcome::Run| {
        assert_eq!(run.end, End::Finished);
        run.syscalls[0].arguments[0]
    };
    let seen = |answer: &Answer| match answer {
        Answer::Cached(run) => Seen::Cached(mark(run)),
        Answer::Compiled(run) => Seen::Compiled(mark(run)),
        Answer::Found(run) => Seen::Found(mark(run)),
        Answer::Refused(failure) => Seen::Refused(*failure),
        Answer::Done => Seen::Done,
    };
    answers.iter().map(seen).collect()
}

fn requests<const N: usize>(requests: [Request; N]) -> hatchery_test_runtime::Input<Vec<Answer>> {
    scenario::modules(requests.to_vec(), b"main".to_vec())
}

fn bytes(mark: u32, identifier: Option<&[u8]>) -> Request {
    Request::FromBytes { program: guests::marked(mark), identifier: identifier.map(<[u8]>::to_vec) }
}

fn garbage(identifier: Option<&[u8]>) -> Request {
    Request::FromBytes { program: b"no program".to_vec(), identifier: identifier.map(<[u8]>::to_vec) }
}

fn lookup(identifier: &[u8]) -> Request {
    Request::Lookup { identifier: identifier.to_vec() }
}

fn key(key: &[u8], child_trie: &[u8]) -> Request {
    Request::FromStorageKey { key: key.to_vec(), child_trie: child_trie.to_vec() }
}

/// Programs with one thing wrong each.
fn broken_programs() -> Vec<Request> {
    let good = guests::marked(1);
    let mut programs = vec![Vec::new(), b"P".to_vec(), b"PVM\0".to_vec(), vec![0; 4096]];
    // Cut short at every length; the length in the header gives it away.
    programs.extend((5..good.len()).map(|length| good[..length].to_vec()));
    programs.push([&good[..], &[0]].concat());
    for (at, value) in [(0, b'p'), (3, 1), (4, 0xff)] {
        let mut broken = good.clone();
        broken[at] = value;
        programs.push(broken);
    }
    programs.into_iter().map(|program| Request::FromBytes { program, identifier: None }).collect()
}
