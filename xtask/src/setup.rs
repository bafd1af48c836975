//! The two real parts that are not crates, fetched once: LibTorch and llama.cpp.
//!
//! Both come out of Python wheels, so `pip` is all that is needed; no Python runs LibTorch. Each is put together in
//! a folder beside its place and renamed into it when whole, so a broken download leaves nothing half installed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use zip::ZipArchive;

const LIBTORCH_VERSION: &str = "2.11.0";
const LLAMA_CPP_VERSION: &str = "2026.10.11549";

/// What LibTorch needs at build and run time on a CPU; the rest of the wheel is CUDA and Python.
const LIBTORCH_LIBRARIES: [&str; 5] =
    ["libc10.so", "libtorch_cpu.so", "libgomp.so.1", "libtorch_global_deps.so", "libshm.so"];

/// Installs what is missing; what is there already is not fetched again.
pub fn setup(root: &Path) -> Result<()> {
    libtorch(root)
        .context("LibTorch could not be set up; nothing was installed. It needs 1.7 GB of free disk")?;
    llama_cpp(root)
        .context("llama.cpp could not be set up; nothing was installed. It needs 0.2 GB of free disk")
}

fn libtorch(root: &Path) -> Result<()> {
    let ours = root.join(".libtorch");
    let place = std::env::var_os("LIBTORCH").map_or_else(|| ours.clone(), PathBuf::from);
    if place != ours {
        ensure!(
            place.join("lib/libtorch_cpu.so").exists(),
            "LIBTORCH is {}, which holds no lib/libtorch_cpu.so. Point it at LibTorch {LIBTORCH_VERSION} or unset it.",
            place.display()
        );
        println!("LibTorch: yours, {}", place.display());
        return Ok(());
    }
    if fs::read_to_string(ours.join("build-version"))
        .is_ok_and(|version| version.starts_with(LIBTORCH_VERSION))
    {
        println!("LibTorch {LIBTORCH_VERSION}: in .libtorch/");
        return Ok(());
    }
    println!(
        "LibTorch {LIBTORCH_VERSION}: fetching 0.5 GB, 1.7 GB of disk while it is unpacked, 0.5 GB after"
    );
    let workshop = Workshop::new(root.join(".libtorch.partial"))?;
    let wheels = workshop.path.join("wheels");
    // The wheel is a container here: which Python it is for does not matter, as long as pip finds one.
    let torch = ["--python-version", "3.12", "--platform", "manylinux_2_28_x86_64"];
    pip_download(&wheels, &torch, &[&format!("torch=={LIBTORCH_VERSION}")])?;
    pip_download(&wheels, &[], &["nvidia-cuda-runtime==13.0.*", "nvidia-cuda-cupti==13.0.*"])?;

    let whole = workshop.path.join("whole");
    unpack(&wheels, "torch-", &whole, |entry| {
        let rest = entry.strip_prefix("torch/")?;
        let library = rest.strip_prefix("lib/").is_some_and(|name| LIBTORCH_LIBRARIES.contains(&name));
        (library || rest.starts_with("include/")).then(|| rest.to_owned())
    })?;
    // libtorch_cpu.so names these two though a CPU never calls them.
    for (wheel, library) in
        [("nvidia_cuda_runtime", "libcudart.so.13"), ("nvidia_cuda_cupti", "libcupti.so.13")]
    {
        unpack(&wheels, wheel, &whole, |entry| entry.ends_with(library).then(|| format!("lib/{library}")))?;
    }
    std::os::unix::fs::symlink("libtorch_cpu.so", whole.join("lib/libtorch.so"))?;
    fs::write(whole.join("build-version"), format!("{LIBTORCH_VERSION}+cpu\n"))?;
    workshop.deliver(&whole, &ours)
}

fn llama_cpp(root: &Path) -> Result<()> {
    let ours = root.join(".llama-cpp");
    let place = std::env::var_os("NANOLOGIC_LLAMA_CPP").map_or_else(|| ours.clone(), PathBuf::from);
    if place != ours {
        ensure!(
            place.join("xllamacpp").is_dir(),
            "NANOLOGIC_LLAMA_CPP is {}, which holds no xllamacpp",
            place.display()
        );
        println!("llama.cpp: yours, {}", place.display());
        return Ok(());
    }
    let whole_mark = ours.join(format!("xllamacpp-{LLAMA_CPP_VERSION}.dist-info"));
    if whole_mark.is_dir() {
        println!("llama.cpp (xllamacpp {LLAMA_CPP_VERSION}): in .llama-cpp/");
        return Ok(());
    }
    println!("llama.cpp: fetching xllamacpp {LLAMA_CPP_VERSION}, 0.1 GB");
    let workshop = Workshop::new(root.join(".llama-cpp.partial"))?;
    let whole = workshop.path.join("whole");
    let mut install = pip()?;
    install.args(["install", "--no-deps", "--only-binary=:all:", "--target"]).arg(&whole);
    run_pip(install.arg(format!("xllamacpp=={LLAMA_CPP_VERSION}")))?;
    workshop.deliver(&whole, &ours)
}

/// A folder for work in progress, gone when dropped.
struct Workshop {
    path: PathBuf,
}

impl Workshop {
    fn new(path: PathBuf) -> Result<Self> {
        remove_if_there(&path)?;
        fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self { path })
    }

    /// Moves a finished folder to its place in one step.
    fn deliver(&self, whole: &Path, place: &Path) -> Result<()> {
        remove_if_there(place)?;
        fs::rename(whole, place).with_context(|| format!("{} cannot be put in place", place.display()))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // Nothing can be done about a folder that will not go; the next run tries again.
        let _ = remove_if_there(&self.path);
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The first pip that answers.
fn pip() -> Result<Command> {
    for candidate in [&["python3", "-m", "pip"][..], &["python", "-m", "pip"], &["pip3"], &["pip"]] {
        let quiet = |command: &mut Command| {
            command
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|s| s.success())
        };
        let command = || {
            let mut command = Command::new(candidate[0]);
            command.args(&candidate[1..]);
            command
        };
        if quiet(&mut command()) {
            let mut pip = command();
            pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_ROOT_USER_ACTION", "ignore");
            return Ok(pip);
        }
    }
    bail!("pip was not found. Install Python's pip (on Debian: apt install python3-pip) and run this again.")
}

fn pip_download(into: &Path, target: &[&str], wheels: &[&str]) -> Result<()> {
    let mut pip = pip()?;
    pip.args(["download", "--no-deps", "--only-binary=:all:", "--dest"]).arg(into).args(target).args(wheels);
    run_pip(&mut pip)
}

fn run_pip(pip: &mut Command) -> Result<()> {
    let status = pip.status().context("pip cannot be started")?;
    ensure!(
        status.success(),
        "pip failed; its own message is above. Check the network and the free disk space, then run this again."
    );
    Ok(())
}

/// Unpacks from the wheel whose name begins with `prefix` the entries that `place` gives a place under `into`.
/// The archive's checksums are verified as it is read.
fn unpack(wheels: &Path, prefix: &str, into: &Path, place: impl Fn(&str) -> Option<String>) -> Result<()> {
    let is_wheel =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix));
    let mut paths = fs::read_dir(wheels)?.filter_map(|entry| Some(entry.ok()?.path()));
    let path = paths.find(is_wheel).with_context(|| format!("pip left no wheel {prefix}…"))?;
    let mut archive =
        ZipArchive::new(File::open(&path)?).with_context(|| format!("{} is broken", path.display()))?;
    let bar = ProgressBar::new(archive.len() as u64)
        .with_style(ProgressStyle::with_template("  unpacking {msg} {bar:30} {pos}/{len}")?)
        .with_message(prefix.trim_end_matches('-').to_owned());
    let mut unpacked = 0;
    for index in 0..archive.len() {
        bar.inc(1);
        let mut entry = archive.by_index(index)?;
        let Some(relative) = entry.enclosed_name().and_then(|name| place(name.to_str()?)) else {
            continue;
        };
        if entry.is_dir() {
            continue;
        }
        let target = into.join(relative);
        fs::create_dir_all(target.parent().context("an entry without a folder")?)?;
        let mut file = File::create(&target)?;
        io::copy(&mut entry, &mut file).with_context(|| format!("{} cannot be written", target.display()))?;
        unpacked += 1;
    }
    bar.finish_and_clear();
    ensure!(unpacked > 0, "{} holds nothing of what is needed", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_in_progress_is_gone_when_it_fails() {
        let path = std::env::temp_dir().join(format!("xtask-workshop-{}", std::process::id()));
        let workshop = Workshop::new(path.clone()).expect("a temporary folder can be made");
        fs::write(workshop.path.join("half"), "…").expect("and written to");
        drop(workshop);
        assert!(!path.exists());
    }

    #[test]
    fn a_broken_wheel_is_an_error() {
        let workshop =
            Workshop::new(std::env::temp_dir().join(format!("xtask-wheel-{}", std::process::id())))
                .expect("a temporary folder can be made");
        fs::write(workshop.path.join("torch-0.whl"), "not a zip").expect("and written to");
        assert!(
            unpack(&workshop.path, "torch-", &workshop.path.join("out"), |name| Some(name.to_owned()))
                .is_err()
        );
    }
}
