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
