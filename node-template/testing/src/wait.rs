//! Waiting for what other processes do.

use crate::Error;
use std::time::{Duration, Instant};

/// How long anything is waited for: much longer than it takes on a slow machine that does other things too.
pub const LIMIT: Duration = Duration::from_secs(300);

/// How often it is looked again.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks until there is an answer.
///
/// # Errors
/// [`Error::TimedOut`] after [`LIMIT`], or the question's own error at once.
pub async fn until<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if started.elapsed() > LIMIT {
            return Err(timed_out(what));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for one answer.
///
/// # Errors
/// [`Error::TimedOut`] after [`LIMIT`], or the answer's own error.
pub async fn within<T>(what: &str, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(LIMIT, answer).await.unwrap_or_else(|_| Err(timed_out(what)))
}

fn timed_out(what: &str) -> Error {
    Error::TimedOut { what: what.to_owned(), seconds: LIMIT.as_secs(), log: String::new() }
}
