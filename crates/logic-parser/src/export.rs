//! Formulas for other programs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::cnf::Cnf;
use crate::formula::{Connective, Formula, Leaf, Node};

/// The clauses in the format of the DIMACS challenge, as SAT solvers read it.
impl fmt::Display for Cnf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "p cnf {} {}", self.variables, self.clauses().len())?;
        for clause in self.clauses() {
            clause.iter().try_for_each(|literal| write!(f, "{literal} "))?;
            f.write_str("0\n")?;
        }
        Ok(())
    }
}

impl Formula {
    /// The formula for SAT solvers: a comment for each atom with its variable, then [`Cnf::tseitin`] in DIMACS.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "p ∧ q".parse()?;
    /// assert_eq!(formula.to_dimacs(), "\
    /// c 1 = p
    /// c 2 = q
    /// p cnf 3 4
    /// -3 1 0
    /// -3 2 0
    /// 3 -1 -2 0
    /// 3 0
    /// ");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn to_dimacs(&self) -> String {
        let mut text = String::new();
        for (index, name) in self.atoms().into_iter().enumerate() {
            let name = name.replace(char::is_whitespace, " ");
            text += &alloc::format!("c {} = {name}\n", index + 1);
        }
        text + &alloc::format!("{}", Cnf::tseitin(self))
    }

    /// A script for SMT solvers (SMT-LIB 2.6) that asks whether the formula is satisfiable.
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "p → ¬q".parse()?;
    /// assert_eq!(formula.to_smt_lib(), "\
    /// (set-logic QF_UF)
    /// (declare-const |p| Bool)
    /// (declare-const |q| Bool)
    /// (assert (=> |p| (not |q|)))
    /// (check-sat)
    /// ");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn to_smt_lib(&self) -> String {
        let names: Vec<String> = self.atoms().into_iter().map(smt_symbol).collect();
        let mut text = String::from("(set-logic QF_UF)\n");
        for name in &names {
            text += &alloc::format!("(declare-const {name} Bool)\n");
        }
        let assertion = self.written(
            &|leaf| match leaf {
                Leaf::Atom(id) => names[id.index()].clone(),
                Leaf::Top => "true".into(),
                Leaf::Bottom => "false".into(),
            },
            ["(not ", ")"],
            |connective| match connective {
                Connective::And => ["(and ", " ", ")"],
                Connective::Or => ["(or ", " ", ")"],
                Connective::Implies => ["(=> ", " ", ")"],
                Connective::Iff => ["(= ", " ", ")"],
                Connective::Xor => ["(xor ", " ", ")"],
            },
        );
        text + &alloc::format!("(assert {assertion})\n(check-sat)\n")
    }

    /// The formula as a conjecture for theorem provers (TPTP, first-order form).
    ///
    /// ```
    /// # use logic_parser::Formula;
    /// let formula: Formula = "p → ¬q".parse()?;
    /// assert_eq!(formula.to_tptp(), "fof(formula, conjecture, ('p' => ~ 'q')).\n");
    /// # Ok::<(), logic_parser::ParseError>(())
    /// ```
    pub fn to_tptp(&self) -> String {
        let names: Vec<String> = self.atoms().into_iter().map(tptp_symbol).collect();
        let conjecture = self.written(
            &|leaf| match leaf {
                Leaf::Atom(id) => names[id.index()].clone(),
                Leaf::Top => "$true".into(),
                Leaf::Bottom => "$false".into(),
            },
            ["~ ", ""],
            |connective| match connective {
                Connective::And => ["(", " & ", ")"],
                Connective::Or => ["(", " | ", ")"],
                Connective::Implies => ["(", " => ", ")"],
                Connective::Iff => ["(", " <=> ", ")"],
                Connective::Xor => ["(", " <~> ", ")"],
            },
        );
        alloc::format!("fof(formula, conjecture, {conjecture}).\n")
    }

    /// The formula with the given text before, between and after operands.
    fn written(
        &self,
        leaf: &dyn Fn(Leaf) -> String,
        not: [&'static str; 2],
        binary: fn(Connective) -> [&'static str; 3],
    ) -> String {
        enum Piece {
            Text(&'static str),
            Subformula(usize),
        }
        let (nodes, starts) = (self.nodes(), self.starts());
        let mut text = String::new();
        let mut pieces = alloc::vec![Piece::Subformula(nodes.len() - 1)];
        while let Some(piece) = pieces.pop() {
            let index = match piece {
                Piece::Text(piece) => {
                    text += piece;
                    continue;
                }
                Piece::Subformula(index) => index,
            };
            match nodes[index] {
                Node::Atom(id) => text += &leaf(Leaf::Atom(id)),
                Node::Top => text += &leaf(Leaf::Top),
                Node::Bottom => text += &leaf(Leaf::Bottom),
                Node::Not => {
                    pieces.extend([Piece::Text(not[1]), Piece::Subformula(index - 1), Piece::Text(not[0])])
                }
                Node::Binary(connective) => {
                    let [open, between, close] = binary(connective);
                    pieces.extend([
                        Piece::Text(close),
                        Piece::Subformula(index - 1),
                        Piece::Text(between),
                        Piece::Subformula(starts[index - 1] as usize - 1),
                        Piece::Text(open),
                    ]);
                }
            }
        }
        text
    }
}

/// `|name|`; what cannot stand there is written as in a URL.
fn smt_symbol(name: &str) -> String {
    alloc::format!("|{}|", name.replace('%', "%25").replace('\\', "%5C").replace('|', "%7C"))
}

/// `'name'`, quotes and backslashes escaped.
fn tptp_symbol(name: &str) -> String {
    alloc::format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
