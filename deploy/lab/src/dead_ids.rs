//! The ground truth of a loss: rows of the dead primary's data directory, read by a throwaway server on a copy.
//!
//! The server recovers the copy as after a crash, listens on a socket only, and archives nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::configs::patroni::SERVER_PROGRAMS;
use crate::layout::{Layout, port};
use crate::{exec, say};

/// Why the rows could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no data directory was copied aside; `lab fault inject lose-writes` does that")]
    NoCopy,
    #[error("{0:?} is not a plain name")]
    Name(String),
    #[error("run a server on the copied data directory")]
    Server(#[source] exec::Error),
    #[error("read the rows")]
    Read(#[source] tokio_postgres::Error),
    #[error("make the socket's folder")]
    Socket(#[source] std::io::Error),
}

/// Prints the rows' columns, one row a line.
pub(crate) async fn print(
    layout: &Layout,
    database: &str,
    table: &str,
    columns: &[String],
) -> Result<(), Error> {
    let plain = |name: &&str| !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let mut names = columns.iter().map(String::as_str).chain([table]);
    if let Some(odd) = names.find(plain) {
        return Err(Error::Name(odd.to_owned()));
    }
    let copy = newest_copy(&layout.dead()).ok_or(Error::NoCopy)?;
    // Not in the state folder, whose path may be too long for a socket.
    let socket = Path::new("/run").join(format!("ordeal-dead-{}", std::process::id()));
    std::fs::create_dir(&socket).map_err(Error::Socket)?;
    let rows = read_on_server(&copy, &socket, database, table, columns).await;
    let removed = std::fs::remove_dir_all(&socket).map_err(Error::Socket);
    rows?.iter().for_each(|row| say(row));
    removed
}

async fn read_on_server(
    copy: &Path,
    socket: &Path,
    database: &str,
    table: &str,
    columns: &[String],
) -> Result<Vec<String>, Error> {
    exec::run("chown", &["postgres:", &socket.display().to_string()]).map_err(Error::Server)?;
    start(copy, socket).map_err(Error::Server)?;
    let rows = read(socket, database, table, columns).await.map_err(Error::Read);
    server(copy, &["stop", "--mode=fast"]).map_err(Error::Server)?;
    rows
}

fn newest_copy(dead: &Path) -> Option<PathBuf> {
    let copies = std::fs::read_dir(dead).ok()?.flatten();
    let copies = copies.map(|entry| entry.path()).filter(|path| path.join("PG_VERSION").is_file());
    copies.max_by_key(|path| path.join("global").metadata().and_then(|data| data.modified()).ok())
}

// The copied settings name the living member's files and peers: the command line overrules them.
fn start(copy: &Path, socket: &Path) -> Result<(), exec::Error> {
    // Copied from a server that was killed, and so no sign of one that runs.
    let _ = std::fs::remove_file(copy.join("postmaster.pid"));
    let (here, socket) = (copy.display(), socket.display());
    let options = format!(
        "-c listen_addresses= -c unix_socket_directories={socket} -c port={} -c data_directory={here} \
         -c hba_file={here}/pg_hba.conf -c ident_file={here}/pg_ident.conf -c external_pid_file= \
         -c archive_mode=off -c synchronous_standby_names= -c primary_conninfo=",
        port::POSTGRES
    );
    let log = copy.join("throwaway.log");
    server(copy, &["start", "--wait", "--log", &log.display().to_string(), "--options", &options])
}

fn server(copy: &Path, arguments: &[&str]) -> Result<(), exec::Error> {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .arg(Path::new(SERVER_PROGRAMS).join("pg_ctl"))
        .arg("--pgdata")
        .arg(copy)
        .args(arguments)
        .current_dir(copy)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        // The server keeps the descriptors it is given: a pipe would never close.
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let status = command.stdin(std::process::Stdio::null()).status();
    exec::ended(&command, status)
}

async fn read(
    socket: &Path,
    database: &str,
    table: &str,
    columns: &[String],
) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(socket).port(port::POSTGRES).user("postgres").dbname(database);
    config.connect_timeout(Duration::from_secs(5));
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    let fields = columns.join("::text, ");
    let rows = client
        .query(&format!("SELECT {fields}::text FROM {table} ORDER BY {}", columns.join(", ")), &[])
        .await?;
    drop(client);
    let _ = connection.await;
    let text = |row: &tokio_postgres::Row| {
        let field = |at: usize| row.get::<_, Option<String>>(at).unwrap_or_else(|| "-".to_owned());
        (0..columns.len()).map(field).collect::<Vec<_>>().join(" ")
    };
    Ok(rows.iter().map(text).collect())
}
