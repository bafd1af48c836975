//! How many weights a second are quantized, on one core?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gguf_export::{GgmlType, quantize};

fn bench(criterion: &mut Criterion) {
    // Bell-shaped and seeded, as weights are.
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let weights: Vec<f32> = (0..1 << 20).map(|_| (0..6).map(|_| uniform()).sum::<f32>() * 0.05).collect();
    let mut group = criterion.benchmark_group("weights");
    group.throughput(Throughput::Elements(weights.len() as u64)).sample_size(10);
    for ggml_type in [GgmlType::F16, GgmlType::Q8_0, GgmlType::Q6_K, GgmlType::Q4_K] {
        group.bench_function(ggml_type.name(), |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                quantize(ggml_type, &weights, &mut out).expect("whole blocks")
            })
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
