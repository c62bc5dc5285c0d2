//! A line on standard error that tells how far the work is, where somebody looks at a terminal.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const WIDTH: usize = 30;
const EVERY: Duration = Duration::from_millis(200);

/// How far the reading of some files is.
pub(super) struct Progress {
    /// Bytes taken from the disk.
    pub(super) read: Arc<AtomicU64>,
    total: u64,
    shown: Option<Instant>,
    begun: Instant,
    is_terminal: bool,
}

impl Progress {
    /// At the beginning of those files.
    pub(super) fn new(files: &[PathBuf]) -> Self {
        let sizes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
        Progress {
            read: Arc::default(),
            total: sizes.map(|file| file.len()).sum(),
            shown: None,
            begun: Instant::now(),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Shows the bar anew, if there is a terminal and some time went by.
    pub(super) fn show(&mut self, resources: u64) {
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let read = self.read.load(Ordering::Relaxed);
        let line = line(read, self.total, resources, self.elapsed());
        // A bar that cannot be drawn is no reason to end the work.
        let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
    }

    /// Takes the bar away, so that a line can be written.
    pub(super) fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(read: u64, total: u64, resources: u64, elapsed: Duration) -> String {
    let percent = read
        .saturating_mul(100)
        .checked_div(total)
        .unwrap_or(100)
        .min(100);
    let filled = usize::try_from(percent).unwrap_or_default() * WIDTH / 100;
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(WIDTH - filled));
    let rate = per_second(resources, elapsed);
    format!("[{bar}] {percent:>3} %  {resources} resources, {rate} a second")
}

/// How many that is in a second.
pub(super) fn per_second(count: u64, elapsed: Duration) -> u128 {
    (u128::from(count) * 1000)
        .checked_div(elapsed.as_millis())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_with_the_bytes_read() {
        let half = line(50, 100, 10, Duration::from_secs(2));
        assert_eq!(
            half,
            format!(
                "[{}{}]  50 %  10 resources, 5 a second",
                "#".repeat(15),
                "-".repeat(15)
            )
        );
        assert!(line(0, 0, 0, Duration::ZERO).contains("100 %"));
        assert!(line(200, 100, 0, Duration::ZERO).contains("100 %"));
    }
}
