//! The tables of ages: counts computed, every step of the corrected one exact and small.

use thau_growth::{Architecture, Axis, Cost, GrowthPlan, Preservation, ages::Table};

use crate::tiny::Tiny;

fn on(years: u8, table: Table) -> Tiny {
    let start = Tiny { vocab: 32_000, qk_norm: false, ..Tiny::plain() };
    table.age(years).unwrap().shape.on(&start)
}

fn millions(years: u8, table: Table) -> f64 {
    (Cost::of(&on(years, table)).parameters as f64 / 1e5).round() / 10.0
}

#[test]
fn counts_are_those_of_the_shapes() {
    let count = |table| [0, 1, 3, 6, 12, 15].map(|years| millions(years, table));
    assert_eq!(count(Table::Corrected), [21.7, 38.9, 100.1, 213.2, 552.5, 1733.6]);
    assert_eq!(count(Table::Guide), [10.3, 19.4, 41.6, 137.8, 435.5, 2598.6]);
    assert_eq!(count(Table::Architecture), [26.4, 49.9, 137.8, 301.2, 804.2, 2598.6]);
}

#[test]
fn every_step_of_the_corrected_table_is_exact() {
    let ages = Table::Corrected.ages();
    for pair in ages.windows(2) {
        let (from, to) = (on(pair[0].years, Table::Corrected), on(pair[1].years, Table::Corrected));
        let plan = GrowthPlan::between(&from, &to, 0).unwrap();
        assert_eq!(plan.preservation(), Preservation::Exact);
        let factor = Cost::of(&to).parameters as f64 / Cost::of(&from).parameters as f64;
        assert!(factor < 3.2, "{} to {}: {factor}", pair[0].name, pair[1].name);
    }
    assert_eq!(on(15, Table::Corrected).size(Axis::QkDim), 64);
    assert_eq!(Table::Guide.age(2), None);
}
