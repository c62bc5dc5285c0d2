//! A private PostgreSQL cluster, run by `tests/postgres.sh`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A running cluster; its server ends when this is dropped, or with the process.
pub(crate) struct Cluster {
    child: Child,
    /// Its URL.
    pub(crate) url: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
}

fn script() -> Command {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/postgres.sh"));
    command
}

impl Cluster {
    /// Starts one; `None` where the server is not installed.
    pub(crate) fn start() -> Option<Self> {
        Cluster::run(script().arg("run"))
    }

    /// Starts a standby of it, that follows it and takes no writes; `None` where that is not possible here.
    pub(crate) fn standby(&self) -> Option<Self> {
        Cluster::run(script().arg("standby").arg(&self.folder))
    }

    /// Makes a standby a server of its own that takes writes.
    pub(crate) fn promote(&self) {
        let done = script().arg("promote").arg(&self.folder).status();
        assert!(done.unwrap().success());
    }

    fn run(command: &mut Command) -> Option<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        match (lines.next(), lines.next()) {
            (Some(Ok(url)), Some(Ok(folder))) => Some(Cluster {
                child,
                url,
                folder: folder.into(),
            }),
            _ => {
                // It has ended by itself.
                child.wait().ok()?;
                None
            }
        }
    }

    /// Sends a signal to all processes of its server; each has a group of its own.
    pub(crate) fn signal(&self, name: &str) {
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let first = file.lines().next().unwrap().trim();
        let parent = |process: &str| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            stat.rsplit(')')
                .next()?
                .split_whitespace()
                .nth(1)
                .map(str::to_owned)
        };
        let all = std::fs::read_dir("/proc").unwrap();
        let names = all.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let children = names.filter(|process| parent(process).as_deref() == Some(first));
        let processes = std::iter::once(first.to_owned()).chain(children);
        // A child may have ended meanwhile.
        let _ = Command::new("kill")
            .arg(name)
            .args(processes)
            .stderr(Stdio::null())
            .status();
    }

    /// Starts its server again after it was killed. Its last processes may take a moment to go, and keep a new server away until then.
    pub(crate) fn start_again(&self) {
        let starts = || {
            script()
                .arg("start")
                .arg(&self.folder)
                .status()
                .unwrap()
                .success()
        };
        let started = (0..20).any(|_| {
            let is_started = starts();
            if !is_started {
                std::thread::sleep(std::time::Duration::from_millis(250));
            }
            is_started
        });
        assert!(started, "the server does not start again");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
