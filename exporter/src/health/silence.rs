//! Whose silence it is, where a question goes through something that may itself be away.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Who gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Whoever was asked: the way there was open.
    Asked,
    /// For all that is known, the way there.
    Way,
}

/// The answer to `question` within `limit`. Where none has come in half of that time, `way` looks whether the way there
/// is open; it has the other half for that.
pub(super) async fn within<T>(
    limit: Duration,
    question: impl Future<Output = T>,
    way: impl Future<Output = bool>,
) -> Result<T, Silence> {
    let look = async {
        sleep(limit / 2).await;
        way.await
    };
    let (mut question, mut look) = (pin!(timeout(limit, question)), pin!(look));
    let mut open = None;
    loop {
        tokio::select! {
            // The look first: whoever wakes up late still has what it says at once.
            biased;
            seen = &mut look, if open.is_none() => open = Some(seen),
            answer = &mut question => {
                let silence = if open == Some(true) { Silence::Asked } else { Silence::Way };
                return answer.map_err(|_elapsed| silence);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

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
        let table = [
            // When the question is answered; when the way is known, and whether it is open.
            (Some(0), None, true, Ok(())),
            (Some(400), Some(0), false, Ok(())),
            (Some(900), Some(0), false, Ok(())),
            (None, Some(0), true, Err(Silence::Asked)),
            (None, Some(400), true, Err(Silence::Asked)),
            (None, Some(0), false, Err(Silence::Way)),
            (None, Some(600), true, Err(Silence::Way)),
            (None, None, true, Err(Silence::Way)),
        ];
        for (answered, known, open, expected) in table {
            let begun = Instant::now();
            let result = within(LIMIT, after(answered, ()), after(known, open)).await;
            assert_eq!(result, expected, "{answered:?} {known:?} {open}");
            assert_eq!(begun.elapsed(), Duration::from_millis(answered.unwrap_or(1000)), "{answered:?}");
        }
    }
}
