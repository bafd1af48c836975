//! How many tokens a second are packed into batches of 512, on one core?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use data_pipeline::{Sequence, pack};

fn bench(criterion: &mut Criterion) {
    // Lengths as in a corpus of sentences: 20 to 90 tokens, most near 45.
    let lengths = (0..50_000usize).map(|n| 20 + (n * 7919 % 36) + (n * 104_729 % 36));
    let sequences: Vec<_> =
        lengths.map(|length| Sequence::new(vec![17; length - 12], vec![18; 12])).collect();
    let tokens: usize = sequences.iter().map(|sequence| sequence.ids.len()).sum();
    let mut group = criterion.benchmark_group("tokens");
    group.throughput(Throughput::Elements(tokens as u64)).sample_size(10);
    group.bench_function("pack", |bencher| {
        bencher.iter(|| pack(&sequences, 16, 512, 1).expect("no sequence is longer than a row").count())
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
