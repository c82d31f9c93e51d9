//! Pure: the text of the record. One line an event, each with its own checksum.
//!
//! ```text
//! ordeal-ledger-1 7f3a91 postgres 8d1c02aa      the run and the store
//! b 3 17 1732460000123456 9f3c2a10              worker 3 begins its write 17
//! e 3 17 1732460000133456 a 51b7e90c            and it ended: a(cked), r(efused) or i(ndeterminate)
//! ```

use super::{Book, Outcome, Stamp, WriteId};

const MAGIC: &str = "ordeal-ledger-1";

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A line does not say what its checksum says it said.
    #[error("line {line} is damaged")]
    Damaged {
        /// Counted from 1.
        line: usize,
    },
    /// A line is whole but cannot follow those before it.
    #[error("line {line} does not follow from the lines before it")]
    OutOfOrder {
        /// Counted from 1.
        line: usize,
    },
    /// The file belongs to another run or another store.
    #[error("line 1 names run {run} and store {store}")]
    Foreign {
        /// The run it names.
        run: String,
        /// The store it names.
        store: String,
    },
}

/// The first line.
pub fn header(run: &str, store: &str) -> String {
    sealed(&format!("{MAGIC} {run} {store}"))
}

/// The line of a write that is about to be sent.
pub fn begin(id: WriteId, at: Stamp) -> String {
    sealed(&format!("b {} {} {}", id.worker, id.seq, at.0))
}

/// The line of a write that has ended.
pub fn end(id: WriteId, outcome: Outcome, at: Stamp) -> String {
    let letter = match outcome {
        Outcome::Acked => 'a',
        Outcome::Refused => 'r',
        Outcome::Indeterminate => 'i',
    };
    sealed(&format!("e {} {} {} {letter}", id.worker, id.seq, at.0))
}

/// Reads a record of `run` and `store` back: its writes, and how many bytes of it are whole lines. What follows
/// the last line's end was being written when the process died.
pub fn read(bytes: &[u8], run: &str, store: &str) -> Result<(Book, usize), Fault> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut book = Book::default();
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
    for (number, line) in (1..).zip(lines) {
        let text = opened(line).ok_or(Fault::Damaged { line: number })?;
        if number == 1 {
            check_header(text, run, store)?;
        } else {
            apply(&mut book, text).ok_or(Fault::OutOfOrder { line: number })?;
        }
    }
    Ok((book, whole))
}

fn sealed(text: &str) -> String {
    format!("{text} {:08x}\n", crc32fast::hash(text.as_bytes()))
}

fn opened(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (text, crc) = line.rsplit_once(' ')?;
    let sealed_with = u32::from_str_radix(crc, 16).ok().filter(|_| crc.len() == 8)?;
    (sealed_with == crc32fast::hash(text.as_bytes())).then_some(text)
}

fn check_header(text: &str, run: &str, store: &str) -> Result<(), Fault> {
    let mut words = text.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(MAGIC), Some(found_run), Some(found_store), None)
            if found_run == run && found_store == store =>
        {
            Ok(())
        }
        (Some(MAGIC), Some(run), Some(store), None) => {
            Err(Fault::Foreign { run: run.to_owned(), store: store.to_owned() })
        }
        _ => Err(Fault::OutOfOrder { line: 1 }),
    }
}

fn apply(book: &mut Book, text: &str) -> Option<()> {
    let mut words = text.split(' ');
    let kind = words.next()?;
    let id = WriteId { worker: words.next()?.parse().ok()?, seq: words.next()?.parse().ok()? };
    let at = Stamp(words.next()?.parse().ok()?);
    match (kind, words.next(), words.next()) {
        ("b", None, None) => (book.begin(id.worker, at) == id).then_some(()),
        ("e", Some(letter), None) => {
            let outcome = match letter {
                "a" => Outcome::Acked,
                "r" => Outcome::Refused,
                "i" => Outcome::Indeterminate,
                _ => return None,
            };
            book.end(id, outcome, at).then_some(())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ended;
    use super::*;

    const ID: WriteId = WriteId { worker: 1, seq: 0 };

    fn sample() -> String {
        let second = WriteId { worker: 1, seq: 1 };
        [
            header("run", "pg"),
            begin(ID, Stamp(10)),
            end(ID, Outcome::Acked, Stamp(12)),
            begin(second, Stamp(20)),
        ]
        .concat()
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let text = sample();
        let (book, whole) = read(text.as_bytes(), "run", "pg").expect("whole record");
        assert_eq!(whole, text.len());
        assert_eq!(book.ended(ID), Some(Ended { outcome: Outcome::Acked, at: Stamp(12) }));
        assert!(book.attempted(WriteId { worker: 1, seq: 1 }));
        assert_eq!(book.ended(WriteId { worker: 1, seq: 1 }), None);
    }

    #[test]
    fn a_record_cut_anywhere_reads_back_up_to_its_last_whole_line() {
        let text = sample();
        for cut in 0..text.len() {
            let (_, whole) = read(&text.as_bytes()[..cut], "run", "pg").expect("a torn tail is no damage");
            assert_eq!(whole, text[..cut].rfind('\n').map_or(0, |last| last + 1));
        }
    }

    #[test]
    fn any_changed_byte_is_found_and_its_line_named() {
        let text = sample();
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 0x01;
            let line = text[..at].matches('\n').count() + 1;
            let fault = read(&bytes, "run", "pg").expect_err("damage goes unseen");
            // A changed line end joins two lines: then the joined one is damaged, which is the same line.
            assert_eq!(fault, Fault::Damaged { line }, "byte {at}");
        }
    }

    #[test]
    fn a_lost_line_in_the_middle_is_out_of_order() {
        let third = WriteId { worker: 1, seq: 2 };
        let text = sample() + &begin(third, Stamp(30));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let without_fourth = [lines[0], lines[1], lines[2], lines[4]].concat();
        assert_eq!(
            read(without_fourth.as_bytes(), "run", "pg").expect_err("gap"),
            Fault::OutOfOrder { line: 4 }
        );
    }

    #[test]
    fn a_record_of_another_run_or_store_is_refused() {
        for (run, store) in [("other", "pg"), ("run", "redis")] {
            let fault = read(sample().as_bytes(), run, store).expect_err("foreign");
            assert_eq!(fault, Fault::Foreign { run: "run".to_owned(), store: "pg".to_owned() });
        }
    }
}
