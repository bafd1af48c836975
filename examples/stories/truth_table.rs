//! An argument before a class: its truth table, why it fails, what it should have said, and a proof of that.
//!
//! ```text
//! $ cargo run --release --example truth_table
//! llueve → mojo, mojo ⊢ llueve
//!
//! llueve │ mojo │ llueve → mojo │ (llueve → mojo) ∧ mojo │ (llueve → mojo) ∧ mojo → llueve
//! ───────┼──────┼───────────────┼────────────────────────┼────────────────────────────────
//! V      │ V    │ V             │ V                      │ V
//! V      │ F    │ F             │ F                      │ V
//! F      │ V    │ V             │ V                      │ F
//! F      │ F    │ V             │ F                      │ V
//!
//! Inválido (afirmación del consecuente): de «llueve → mojo» y «mojo» no se sigue «llueve». «llueve» basta para …
//! Invalid (affirming the consequent): «llueve» does not follow from «llueve → mojo» and «mojo». «llueve» suffices …
//!
//! 1  llueve → mojo   premise
//! 2  llueve          premise
//! 3  mojo            →E 1, 2
//!
//! \begin{tabular}{ccc}
//! $p$ & $q$ & $p \to q$ \\ \hline
//! T & T & T \\
//! T & F & F \\
//! F & T & T \\
//! F & F & T \\
//! \end{tabular}
//! ```

use logic_parser::{Argument, Columns, Formula, Marks, TableFormat, TruthTable};

fn main() -> anyhow::Result<()> {
    let argument: Argument = "si llueve entonces mojo, mojo ∴ llueve".parse()?;
    println!("{argument}\n");

    // The argument as one formula, with a column for each step of the reckoning.
    let premises = Formula::conjunction(&argument.premises);
    let formula = premises.implies(argument.conclusion.clone());
    let table =
        TruthTable { columns: Columns::Subformulas, marks: Marks::SPANISH, ..TruthTable::new(&formula) };
    println!("{table}");

    let judgement = argument.judge();
    println!("{}\n{}\n", judgement.explanation.es, judgement.explanation.en);

    let nearest = judgement.fallacy.and_then(|fallacy| fallacy.nearest());
    let sound = nearest.expect("a fallacy has a valid neighbour");
    let proof = sound.prove()?;
    proof.check(&sound)?;
    println!("{proof}");

    // A table for a paper.
    let formula: Formula = "p -> q".parse()?;
    print!("{}", TruthTable::new(&formula).to(TableFormat::Latex));
    Ok(())
}
