//! Reads what a command prints, keeping a bounded part of it.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

use crate::trial::Secrets;

/// How long the rest of the output is awaited once the command has ended. Only a process that the command
/// left behind in the background keeps the pipe open for longer.
const DRAIN: Duration = Duration::from_millis(200);

/// Lines of output that an error text or a report shows.
pub(super) const SHOWN_LINES: usize = 5;

/// The last bytes of a stream.
#[derive(Debug)]
struct Tail {
    bytes: VecDeque<u8>,
    cap: usize,
    overflowed: bool,
}

impl Tail {
    fn push(&mut self, read: &[u8]) {
        self.bytes.extend(read);
        let excess = self.bytes.len().saturating_sub(self.cap);
        self.bytes.drain(..excess);
        self.overflowed |= excess > 0;
    }
}

/// A stream that is being read.
#[derive(Debug)]
pub(super) struct Capture {
    tail: Arc<Mutex<Tail>>,
    reader: JoinHandle<()>,
}

impl Capture {
    /// Reads `stream` to its end in the background, keeping the last `cap` bytes.
    ///
    /// The reader goes on when the capture is gone, so that a background process is not killed by a full
    /// or closed pipe; it ends with the stream.
    pub(super) fn start(mut stream: impl AsyncRead + Send + Unpin + 'static, cap: usize) -> Self {
        let tail = Arc::new(Mutex::new(Tail { bytes: VecDeque::new(), cap, overflowed: false }));
        let shared = Arc::clone(&tail);
        let reader = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                shared.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..count]);
            }
        });
        Self { tail, reader }
    }

    /// What was printed by a command that has ended.
    pub(super) async fn finish(mut self) -> Captured {
        // An elapsed time-out is no fault: see `DRAIN`.
        let _still_open = tokio::time::timeout(DRAIN, &mut self.reader).await;
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        Captured { bytes: tail.bytes.make_contiguous().to_vec(), overflowed: tail.overflowed }
    }
}

/// The kept part of what a command printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Captured {
    /// The last bytes.
    pub bytes: Vec<u8>,
    /// Whether there were more.
    pub overflowed: bool,
}

impl Captured {
    /// The last lines, at most `count` of them, as printable text without any of `secrets`.
    pub(super) fn last_lines(&self, count: usize, secrets: &Secrets) -> String {
        let bytes =
            if self.overflowed { secrets.hide_in_rest(&self.bytes) } else { secrets.hide(&self.bytes) };
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let kept = lines[lines.len().saturating_sub(count)..].join("\n");
        kept.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
    }
}

/// How a command that printed this and ended as `exit` is told: in one line, and key by key; without any of `secrets`.
/// The line is `exit status 3: what it printed last`.
pub(super) fn told(
    exit: &impl Display,
    stdout: &Captured,
    stderr: &Captured,
    secrets: &Secrets,
) -> (String, Vec<(&'static str, String)>) {
    let [stdout, stderr] = [stdout, stderr].map(|it| it.last_lines(SHOWN_LINES, secrets));
    let exit = exit.to_string();
    let reason = [&stderr, &stdout].into_iter().find(|text| !text.is_empty());
    let line = reason.map_or_else(|| exit.clone(), |said| format!("{exit}: {}", said.replace('\n', " | ")));
    (line, vec![("exit", exit), ("stdout", stdout), ("stderr", stderr)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Secret;

    #[tokio::test]
    async fn keeps_the_end_of_a_long_output() {
        let long = format!("{}\nlast", "x".repeat(10_000));
        let captured = Capture::start(std::io::Cursor::new(long), 8).finish().await;
        assert_eq!(captured, Captured { bytes: b"xxx\nlast".to_vec(), overflowed: true });
        let captured = Capture::start(std::io::Cursor::new("short"), 8).finish().await;
        assert_eq!(captured, Captured { bytes: b"short".to_vec(), overflowed: false });
    }

    #[test]
    fn last_lines_are_printable() {
        let last = |text: &[u8]| {
            Captured { bytes: text.to_vec(), overflowed: false }.last_lines(2, &Secrets::default())
        };
        assert_eq!(last(b""), "");
        assert_eq!(last(b"a\nb\r\n\nc\n"), "b\nc");
        assert_eq!(last(b"\x1b[31mred\xff"), "\u{fffd}[31mred\u{fffd}");
    }

    #[tokio::test]
    async fn of_a_secret_not_even_the_rest_is_kept_wherever_the_output_is_cut() {
        let secret = "correct horse\nbattery";
        let secrets = Secrets::new([Secret::new(secret.to_owned())]);
        let text = format!("123456 {secret} 12345");
        for cap in 1..=text.len() {
            let captured = Capture::start(std::io::Cursor::new(text.clone()), cap).finish().await;
            let shown = captured.last_lines(9, &secrets);
            let expected = match cap {
                0..=6 => text[text.len() - cap..].to_owned(),
                7..=27 => "[redacted] 12345".to_owned(),
                _ => format!("{} [redacted] 12345", &text[text.len() - cap..6]),
            };
            assert_eq!(shown, expected, "the last {cap} bytes");
        }
    }
}
