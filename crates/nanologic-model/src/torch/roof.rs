//! What the machine can do at most.

use std::time::{Duration, Instant};

use tch::{Device, Kind as Number, Tensor, no_grad};

use super::memory;
use super::parameters::Compute;

/// Width of the square matrices: large enough to be limited by arithmetic alone.
const WIDTH: i64 = 1024;
/// Long enough to catch a moment without disturbance.
const LISTENING: Duration = Duration::from_millis(300);

/// The most floating-point operations a second that matrix products reach on so many threads, in this number format, now:
/// what a training step can be measured against. Takes a third of a second.
pub fn matmul_roof(compute: Compute, threads: usize) -> f64 {
    memory::keep_freed_pages();
    let workers: Vec<_> = (0..threads.max(1))
        .map(|_| {
            std::thread::spawn(move || {
                memory::one_thread();
                no_grad(|| fastest_product(compute.number()))
            })
        })
        .collect();
    workers.into_iter().map(|worker| worker.join().expect("a worker only multiplies")).sum()
}

fn fastest_product(number: Number) -> f64 {
    let matrix = || Tensor::ones([WIDTH, WIDTH], (Number::Float, Device::Cpu)).to_kind(number);
    let (a, b, out) = (matrix(), matrix(), matrix());
    let start = Instant::now();
    let mut best = f64::INFINITY;
    while start.elapsed() < LISTENING {
        let one = Instant::now();
        let _ = a.mm_out(&out, &b);
        best = best.min(one.elapsed().as_secs_f64());
    }
    2.0 * (WIDTH as f64).powi(3) / best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_of_this_world() {
        let roof = matmul_roof(Compute::Fp32, 1);
        assert!((1e8..1e15).contains(&roof), "{roof}");
    }
}
