//! How many formulas a second are read, and how many are read and classified, on one core?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logic_parser::{Formula, classify};

/// Formulas of two to eight atoms in the notations that people mix.
fn formulas() -> Vec<String> {
    let parts =
        ["(p ∧ ¬q)", "(r -> s)", "!(t | u)", "p <-> v", "(q && w)", "¬¬r", "(s ∨ p)", "(u → (t ∧ ¬v))"];
    let joints = [" → ", " & ", " ∨ ", " <-> "];
    let side = |n: usize| format!("({}{}{})", parts[n % 8], joints[n / 8 % 4], parts[(n / 3 + 1) % 8]);
    (0..1000).map(|n| format!("{}{}{}", side(n), joints[n / 5 % 4], side(7 * n + 3))).collect()
}

fn bench(criterion: &mut Criterion) {
    let formulas = formulas();
    let mut group = criterion.benchmark_group("formulas");
    group.throughput(Throughput::Elements(formulas.len() as u64));
    group.bench_function("parse", |bencher| {
        bencher.iter(|| formulas.iter().filter(|text| Formula::parse(text).is_ok()).count())
    });
    group.bench_function("parse and classify", |bencher| {
        bencher.iter(|| {
            formulas
                .iter()
                .filter_map(|text| Formula::parse(text).ok())
                .map(|f| classify(&f))
                .collect::<Vec<_>>()
        })
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
