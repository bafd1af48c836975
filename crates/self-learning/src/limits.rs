//! How much the loop may ask.
//!
//! A loop that runs by itself asks at most 10 questions an hour, 100 a day, and one every 30 seconds. That holds over
//! restarts, and for all processes and threads that share the ledger, and nothing here switches it off. An experiment asks
//! thousands at once; it has a budget of its own, named and logged.
//!
//! The wall clock is never consulted, so setting it changes nothing. The ledger counts time that was seen to pass: between two
//! questions of one boot the system's uptime, over a reboot only the uptime since. A day is thus 24 hours of a running
//! machine. Where the system tells no uptime, only time within one process counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::disk::{append_json, create_folder, lock, read_json, write_json};
use crate::{Error, Result};

/// Questions in any hour.
pub const PER_HOUR: usize = 10;
/// Questions in any day.
pub const PER_DAY: usize = 100;
/// Least time between two questions.
pub const APART: Duration = Duration::from_secs(30);

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The right to ask by oneself, counted in a file.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let mut limits = self_learning::Limits::open(&folder.path().join("limits.json"))?;
/// assert!(limits.ask()?.is_ok());
/// let wait = limits.ask()?.unwrap_err();
/// assert!(wait.as_secs() <= 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Limits {
    path: PathBuf,
    clock: fn() -> Reading,
}

impl Limits {
    /// The limits counted in this file, begun when there is none. All that ask by themselves must share it.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn open(path: &Path) -> Result<Limits> {
        Limits::with_clock(path, read_clock)
    }

    fn with_clock(path: &Path, clock: fn() -> Reading) -> Result<Limits> {
        create_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(Limits { path: path.to_owned(), clock })
    }

    /// Takes the right to ask one question now, or tells how long to wait for it. The right counts as used at once, whether
    /// or not the question is then asked.
    ///
    /// # Errors
    /// When the ledger cannot be read or written; then nothing may be asked. A damaged ledger is an error, never a fresh
    /// start.
    pub fn ask(&mut self) -> Result<Result<(), Duration>> {
        let _lock = lock(&self.path.with_extension("lock"))?;
        let mut ledger: Ledger = read_json(&self.path)?.unwrap_or_default();
        ledger.advance((self.clock)());
        let wait = ledger.wait();
        if wait.is_zero() {
            ledger.asked.push(ledger.time);
        }
        write_json(&self.path, &ledger)?;
        Ok(if wait.is_zero() { Ok(()) } else { Err(wait) })
    }
}

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ledger {
    /// Time seen to pass since the ledger was begun, in milliseconds.
    time: u64,
    /// The last look at the clock.
    seen: Option<Reading>,
    /// When the questions of the last day were asked, in `time`.
    asked: Vec<u64>,
}

impl Ledger {
    fn advance(&mut self, now: Reading) {
        let passed = match &self.seen {
            None => 0,
            Some(seen) if seen.boot == now.boot => now.uptime.saturating_sub(seen.uptime),
            Some(_) => now.uptime,
        };
        self.time = self.time.saturating_add(passed);
        self.seen = Some(now);
        let yesterday = self.time.saturating_sub(DAY.as_millis() as u64);
        let day_is_over = self.time >= DAY.as_millis() as u64;
        self.asked.retain(|&asked| asked > yesterday || !day_is_over);
    }

    fn wait(&self) -> Duration {
        // The n-th last question must be at least so old.
        let until = |n: usize, age: Duration| {
            let asked = self.asked.len().checked_sub(n).map(|i| self.asked[i]);
            asked.map_or(Duration::ZERO, |asked| {
                age.saturating_sub(Duration::from_millis(self.time.saturating_sub(asked)))
            })
        };
        until(1, APART).max(until(PER_HOUR, HOUR)).max(until(PER_DAY, DAY))
    }
}

/// A look at the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    /// Which boot, or which process where the system does not tell.
    boot: String,
    /// Milliseconds since it began.
    uptime: u64,
}

fn read_clock() -> Reading {
    let read = |path| fs::read_to_string(path).ok();
    let seconds = read("/proc/uptime").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    match (read("/proc/sys/kernel/random/boot_id"), seconds) {
        (Some(boot), Some(seconds)) => {
            Reading { boot: boot.trim().to_owned(), uptime: (seconds * 1000.0) as u64 }
        }
        _ => {
            static START: OnceLock<(String, Instant)> = OnceLock::new();
            let (process, start) = START.get_or_init(|| {
                let now = std::time::SystemTime::now();
                (format!("{} {now:?}", std::process::id()), Instant::now())
            });
            Reading { boot: process.clone(), uptime: start.elapsed().as_millis() as u64 }
        }
    }
}

/// A number of questions that an experiment may ask, each grant written to a log.
///
/// The log is lines of JSON and only grows: what was granted stays granted after a restart.
#[derive(Debug)]
pub struct Experiment {
    log: PathBuf,
    name: String,
    questions: usize,
    grants: BTreeMap<String, usize>,
}

#[derive(Serialize, Deserialize)]
struct Grant {
    experiment: String,
    granted: usize,
    purpose: String,
}

impl Experiment {
    /// An experiment of at most `questions` questions, less what its log says it was granted already.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn open(log: &Path, name: &str, questions: usize) -> Result<Experiment> {
        create_folder(log.parent().unwrap_or(Path::new(".")))?;
        let text = match fs::read_to_string(log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(crate::disk::at(log)(error))?,
            text => text.unwrap_or_default(),
        };
        let mut grants = BTreeMap::new();
        for line in text.lines() {
            let grant: Grant =
                serde_json::from_str(line).map_err(|source| Error::Json { path: log.to_owned(), source })?;
            if grant.experiment == name {
                grants.insert(grant.purpose, grant.granted);
            }
        }
        Ok(Experiment { log: log.to_owned(), name: name.to_owned(), questions, grants })
    }

    /// Questions left.
    pub fn left(&self) -> usize {
        self.questions.saturating_sub(self.grants.values().sum())
    }

    /// Takes up to `count` questions for a purpose. What was taken for it before, perhaps by a run that was killed, is given
    /// again and counts once.
    ///
    /// # Errors
    /// When the log cannot be written; then nothing is granted.
    pub fn grant(&mut self, count: usize, purpose: &str) -> Result<usize> {
        if let Some(&granted) = self.grants.get(purpose) {
            return Ok(granted);
        }
        let grant = Grant {
            experiment: self.name.clone(),
            granted: count.min(self.left()),
            purpose: purpose.to_owned(),
        };
        append_json(&self.log, &grant)?;
        self.grants.insert(grant.purpose, grant.granted);
        Ok(grant.granted)
    }
}

/// Where the right to ask comes from.
#[derive(Debug)]
pub enum Budget {
    /// The loop runs by itself, within the limits.
    Autonomous(Limits),
    /// Somebody runs an experiment, with a logged number of questions.
    Experiment(Experiment),
}

/// What a budget gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Questions that may be asked now.
    pub questions: usize,
    /// How long to wait for the next, when fewer were given than wanted and waiting helps.
    pub wait: Option<Duration>,
}

impl Budget {
    /// Takes the right to ask up to `wanted` questions now, for a purpose that an experiment logs.
    ///
    /// # Errors
    /// When the ledger or log cannot be used; then nothing may be asked.
    pub fn take(&mut self, wanted: usize, purpose: &str) -> Result<Granted> {
        match self {
            Budget::Experiment(experiment) => {
                Ok(Granted { questions: experiment.grant(wanted, purpose)?, wait: None })
            }
            Budget::Autonomous(limits) => {
                for questions in 0..wanted {
                    if let Err(wait) = limits.ask()? {
                        return Ok(Granted { questions, wait: Some(wait) });
                    }
                }
                Ok(Granted { questions: wanted, wait: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::Mutex;

    thread_local! {
        static NOW: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }

    fn fake_clock() -> Reading {
        let (boot, uptime) = NOW.get();
        Reading { boot: boot.to_string(), uptime }
    }

    fn at(boot: u64, seconds: u64) {
        NOW.set((boot, seconds * 1000));
    }

    fn open(folder: &Path) -> Limits {
        Limits::with_clock(&folder.join("limits.json"), fake_clock).unwrap()
    }

    /// Questions granted when asking every second of a span, reopening every time.
    fn granted(folder: &Path, boot: u64, seconds: impl Iterator<Item = u64>) -> Vec<u64> {
        seconds
            .filter(|&second| {
                at(boot, second);
                open(folder).ask().unwrap().is_ok()
            })
            .collect()
    }

    #[test]
    fn ten_an_hour_thirty_seconds_apart_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let times = granted(folder.path(), 1, (0..3900).step_by(5));
        assert_eq!(times[..10], [0, 30, 60, 90, 120, 150, 180, 210, 240, 270]);
        assert_eq!(times[10..], (3600..3900).step_by(30).collect::<Vec<_>>());
    }

    #[test]
    fn a_hundred_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let times = granted(folder.path(), 1, (0..25 * 3600).step_by(360));
        let within = |from: u64, to: u64| times.iter().filter(|&&t| (from..to).contains(&t)).count();
        assert_eq!(within(0, 24 * 3600), 100);
        assert_eq!(within(3600, 25 * 3600), 100);
    }

    #[test]
    fn a_reboot_counts_only_the_time_since() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(granted(folder.path(), 1, 1_000_000..1_000_001).len(), 1);
        // The new boot says 29 seconds, whatever a wall clock would say.
        assert!(granted(folder.path(), 2, [29].into_iter()).is_empty());
        assert_eq!(granted(folder.path(), 2, [30].into_iter()), [30]);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(granted(folder.path(), 1, [500, 0, 29].into_iter()), [500]);
    }

    #[test]
    fn a_damaged_ledger_is_no_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("limits.json"), "{").unwrap();
        assert!(matches!(open(folder.path()).ask(), Err(Error::Json { .. })));
    }

    #[test]
    fn eight_threads_share_one_right() {
        let folder = tempfile::tempdir().unwrap();
        let granted = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut limits = Limits::open(&folder.path().join("limits.json")).unwrap();
                    for _ in 0..10 {
                        *granted.lock().unwrap() += usize::from(limits.ask().unwrap().is_ok());
                    }
                });
            }
        });
        assert_eq!(granted.into_inner().unwrap(), 1);
    }

    #[test]
    fn an_experiment_keeps_its_count_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("budget.jsonl");
        let open = |name| Experiment::open(&log, name, 600).unwrap();
        assert_eq!(open("demo").grant(500, "round 1").unwrap(), 500);
        assert_eq!(open("demo").grant(500, "round 2").unwrap(), 100);
        assert_eq!(open("demo").grant(500, "round 2").unwrap(), 100);
        assert_eq!(open("demo").left(), 0);
        assert_eq!(open("another").left(), 600);
        assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 2);
    }
}
