//! The server: one nginx worker with a page of 50 bytes.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Runs until it is dropped.
pub(crate) struct Nginx {
    pub(crate) port: u16,
    process: Child,
    _dir: TempDir,
}

impl Nginx {
    /// Starts it on a free port of loopback and waits until it answers.
    pub(crate) fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.path().join("nginx.conf");
        std::fs::write(dir.path().join("index.html"), "x".repeat(50)).unwrap();
        std::fs::write(&config, configuration(&dir, port)).unwrap();
        // The master would drop to another user, who cannot read the folder; root stays root on loopback.
        let process = Command::new("nginx")
            .args(["-e", "stderr", "-p"])
            .arg(dir.path())
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts (Debian package nginx-light)");
        let mut nginx = Self { port, process, _dir: dir };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(nginx.process.try_wait().unwrap().is_none(), "nginx ended");
            assert!(began.elapsed() < Duration::from_secs(10), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // TERM, so that the master takes its worker along.
        let pid = self.process.id().cast_signed();
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

fn configuration(dir: &TempDir, port: u16) -> String {
    let dir = dir.path().display();
    format!(
        "daemon off; user root; worker_processes 1; worker_rlimit_nofile 20000; pid {dir}/pid; error_log stderr crit;
events {{ worker_connections 16000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; open_file_cache max=10;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{ listen 127.0.0.1:{port} backlog=16384; root {dir}; }}
}}
"
    )
}
