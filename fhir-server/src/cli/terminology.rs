//! `terminology`: keeps releases of SNOMED CT and dm+d where a server finds them, and tells which are kept.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::Subcommand;
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::server::terminology::{Kept, keep, kept};
use fhir_validate::terminology::release::{self, Bounds, Release};

/// How often it is told how far the reading is.
const EVERY: Duration = Duration::from_millis(200);

/// Keep code systems that you hold a licence for, where a server finds them, or list those that are kept.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Debug, Subcommand)]
enum Task {
    Load(Load),
    List(Folder),
}

/// Read a release and keep it: a SNOMED CT RF2 snapshot, or a dm+d release in XML, as a ZIP archive or an unpacked folder. A
/// release of the same code system that is kept is replaced. Servers find it when they start next.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  fhir-server terminology load --folder ./terminology uk_sct2cl_41.3.0.zip
  fhir-server serve --terminology ./terminology …")]
struct Load {
    /// The archive or the folder.
    file: PathBuf,
    #[command(flatten)]
    folder: Folder,
}

/// Tell which code systems are kept, and how many concepts each has.
#[derive(Clone, Debug, clap::Args)]
struct Folder {
    /// The folder in which releases are kept.
    #[arg(long, value_name = "FOLDER", env = "FHIR_SERVER_TERMINOLOGY")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<()> {
    match &args.task {
        Task::Load(load) => {
            let begun = Instant::now();
            let release = read(&load.file)?;
            let kept = keep(&load.folder.folder, &release)?;
            print(&kept);
            println!(
                "loaded in {:.1} s; servers find it when they start next",
                begun.elapsed().as_secs_f64()
            );
        }
        Task::List(folder) => {
            let all = kept(&folder.folder)?;
            all.iter().for_each(print);
            if all.is_empty() {
                println!("no release is kept in {}", folder.folder.display());
            }
        }
    }
    Ok(())
}

fn print(kept: &Kept) {
    println!("{} ({} kB)", kept.file.display(), kept.bytes.div_ceil(1024));
    for (url, version, concepts) in &kept.code_systems {
        let version = version.as_deref().unwrap_or("no version");
        println!("  {url}, {version}: {concepts} concepts");
    }
}

/// Reads the release, and tells meanwhile how far it is where somebody looks at a terminal.
fn read(file: &Path) -> Result<Release> {
    let bounds = Bounds::default();
    let progress = bounds.clone();
    let (done, end) = mpsc::channel::<()>();
    let begun = Instant::now();
    let watch = std::thread::spawn(move || {
        let is_terminal = std::io::stderr().is_terminal();
        while end.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            if is_terminal {
                let (read, total) = progress.progress();
                // A line that cannot be drawn is no reason to end the work.
                let _ = write!(
                    std::io::stderr(),
                    "\r\x1b[K{}",
                    line(read, total, begun.elapsed())
                );
            }
        }
        if is_terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    });
    let release = release::read(file, &bounds);
    drop(done);
    // It only draws.
    let _ = watch.join();
    release.map_err(|error| {
        Error::new(
            ErrorCode::Invalid,
            format!("{} cannot be loaded: {error}.", file.display()),
        )
    })
}

fn line(read: u64, total: u64, elapsed: Duration) -> String {
    const WIDTH: u64 = 30;
    let part = |of: u64| (read.saturating_mul(of)).checked_div(total).unwrap_or(0).min(of);
    let filled = usize::try_from(part(WIDTH)).unwrap_or_default();
    let bar = format!("{}{}", "#".repeat(filled), "-".repeat(30 - filled));
    format!(
        "[{bar}] {:>3} %  {} MB, {} s",
        part(100),
        read >> 20,
        elapsed.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_with_the_bytes_read() {
        let half = line(50 << 20, 100 << 20, Duration::from_secs(2));
        assert_eq!(
            half,
            format!("[{}{}]  50 %  50 MB, 2 s", "#".repeat(15), "-".repeat(15))
        );
        assert!(line(1, 0, Duration::ZERO).contains("  0 %"));
    }
}
