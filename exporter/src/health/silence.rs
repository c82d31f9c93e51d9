//! Whose silence it is, where a question goes through something that may itself be away.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Who gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Whoever was asked: the way there was open.
    Asked,
    /// For all that is known, the way there.
    Way,
}

/// No answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silence {
    /// Whose it is.
    pub(super) of: Whose,
    /// How long the question was waited for: its limit, or longer where we were late. Whose silence it was may have been
    /// known only after that.
    pub(super) waited: Duration,
}

/// The answer to `question` within `limit`. Where none has come in half of that time, `way` looks whether the way there
/// is open. One that is slow is open all the same, so the look may go on after the question is given up, until twice
/// the limit: by then whoever judges probes counts on their outcome.
pub(super) async fn within<T>(
    limit: Duration,
    question: impl Future<Output = T>,
    way: impl Future<Output = bool>,
) -> Result<T, Silence> {
    let begun = Instant::now();
    let mut look = pin!(async {
        sleep(limit / 2).await;
        timeout(limit * 3 / 2, way).await.unwrap_or(false)
    });
    let mut open = None;
    let answer = {
        let mut question = pin!(timeout(limit, question));
        loop {
            tokio::select! {
                seen = &mut look, if open.is_none() => open = Some(seen),
                answer = &mut question => break answer,
            }
        }
    };
    let waited = match answer {
        Ok(answer) => return Ok(answer),
        Err(_elapsed) => begun.elapsed(),
    };
    let open = match open {
        Some(open) => open,
        None => look.await,
    };
    Err(Silence { of: if open { Whose::Asked } else { Whose::Way }, waited })
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    /// Answers after so many milliseconds, or never.
    async fn after<T>(milliseconds: Option<u64>, answer: T) -> T {
        match milliseconds {
            Some(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            None => pending().await,
        }
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_of_whoever_was_asked_only_where_the_way_is_known_to_be_open() {
        let silence = |of| Err(Silence { of, waited: LIMIT });
        let (asked, way) = (silence(Whose::Asked), silence(Whose::Way));
        let table = [
            // When the question is answered; how long the look takes, and what it finds; what comes of it, and when.
            (Some(0), None, true, Ok(()), 0),
            (Some(400), Some(0), false, Ok(()), 400),
            (Some(900), Some(0), false, Ok(()), 900),
            (Some(900), None, true, Ok(()), 900),
            // Too late, whatever is waited for besides.
            (Some(1100), Some(900), true, asked, 1400),
            (None, Some(0), true, asked, 1000),
            (None, Some(400), true, asked, 1000),
            (None, Some(0), false, way, 1000),
            // The way is slow, but open.
            (None, Some(600), true, asked, 1100),
            (None, Some(600), false, way, 1100),
            (None, Some(1400), true, asked, 1900),
            (None, Some(1600), true, way, 2000),
            (None, None, true, way, 2000),
        ];
        for (answered, known, open, expected, by) in table {
            let begun = Instant::now();
            let result = within(LIMIT, after(answered, ()), after(known, open)).await;
            assert_eq!(result, expected, "{answered:?} {known:?} {open}");
            assert_eq!(begun.elapsed(), Duration::from_millis(by), "{answered:?} {known:?} {open}");
        }
    }

    /// It may hold a connection.
    #[tokio::test(start_paused = true)]
    async fn a_question_is_given_up_at_its_limit_while_the_look_goes_on() {
        let (held, mut given_up) = tokio::sync::oneshot::channel::<()>();
        let question = async move {
            let _held = held;
            pending::<()>().await;
        };
        let look = async {
            sleep(LIMIT).await;
            given_up.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
        };
        assert_eq!(within(LIMIT, question, look).await, Err(Silence { of: Whose::Asked, waited: LIMIT }));
    }
}
