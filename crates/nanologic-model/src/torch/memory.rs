//! How LibTorch should use the machine: memory it has had before, and one core a thread of ours.

/// Keeps freed memory in the process, for the next step to use again.
///
/// LibTorch allocates and frees each intermediate result. By default glibc hands large ones back to the system every
/// time, and the next step pays for mapping and zeroing the same pages: a third to a half of the time of a step of a
/// small model. Once this is called, memory once used stays with the process. Does nothing without glibc.
pub(super) fn keep_freed_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(set_thresholds);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn set_thresholds() {
    const GIBIBYTE: libc::c_int = 1 << 30;
    // SAFETY: `mallopt` takes two integers and changes only when glibc asks the system for memory or returns it.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, GIBIBYTE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, GIBIBYTE);
        libc::mallopt(libc::M_TOP_PAD, GIBIBYTE / 16);
    }
}

/// Makes LibTorch compute on the calling thread alone. Its own threads wait for each other at every operation, which
/// costs more than it gains on small tensors, and ruins a busy machine.
pub(super) fn one_thread() {
    tch::set_num_threads(1);
}

/// Bytes that can still be used before the system runs out, as far as it says.
pub(super) fn free() -> Option<usize> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let of_machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
    });
    // A container may be allowed less than the machine has.
    let number = |path: &str| read(path)?.trim().parse::<usize>().ok();
    let of_group = number("/sys/fs/cgroup/memory.max")
        .zip(number("/sys/fs/cgroup/memory.current"))
        .map(|(most, used)| most.saturating_sub(used));
    [of_machine, of_group].into_iter().flatten().min()
}

/// Whether a panic of LibTorch's plain methods says that memory ran out.
pub(super) fn is_shortage(panic: &(dyn std::any::Any + Send)) -> bool {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.is_some_and(|text| text.contains("allocate memory") || text.contains("out of memory"))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn a_shortage_is_told_from_a_bug() {
        let much = std::panic::catch_unwind(|| Tensor::zeros([1 << 50], (Kind::Float, Device::Cpu)));
        assert!(is_shortage(&*much.unwrap_err()));
        let wrong = std::panic::catch_unwind(|| Tensor::from(1f32).view([2, 2]));
        assert!(!is_shortage(&*wrong.unwrap_err()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_says_what_is_free() {
        assert!(free().is_some_and(|bytes| bytes > 1 << 20));
    }
}
