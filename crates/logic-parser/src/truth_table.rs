//! Truth tables to show.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::formula::{Formula, Node};
use crate::print::Notation;

/// A formula's truth table, row by row: nothing is kept, so a table with a million rows needs no more memory than one
/// with four.
///
/// ```
/// use logic_parser::{Columns, Formula, Marks, TableFormat, TruthTable};
///
/// let formula: Formula = "¬p → q".parse()?;
/// let table = TruthTable { columns: Columns::Subformulas, marks: Marks::SPANISH, ..TruthTable::new(&formula) };
/// assert_eq!(table.to_string(), "\
/// p │ q │ ¬p │ ¬p → q
/// ──┼───┼────┼───────
/// V │ V │ F  │ V
/// V │ F │ F  │ V
/// F │ V │ V  │ V
/// F │ F │ V  │ F
/// ");
/// assert!(table.to(TableFormat::Markdown).to_string().starts_with("| p | q | ¬p | ¬p → q |\n"));
/// # Ok::<(), logic_parser::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TruthTable<'f> {
    /// The formula.
    pub formula: &'f Formula,
    /// What stands in a row besides the atoms.
    pub columns: Columns,
    /// Which row comes first.
    pub order: RowOrder,
    /// How truth is written.
    pub marks: Marks,
}

/// What stands in a row besides the atoms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Columns {
    /// The truth of the formula.
    #[default]
    Formula,
    /// The truth of each compound subformula, each once, innermost first; the last one is the formula.
    Subformulas,
}

/// Which row comes first. The last atom alternates quickest, as in textbooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowOrder {
    /// All atoms true.
    #[default]
    TrueFirst,
    /// All atoms false.
    FalseFirst,
}

/// How truth is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// For true.
    pub truth: &'static str,
    /// For false.
    pub falsity: &'static str,
}

impl Marks {
    /// T and F.
    pub const ENGLISH: Marks = Marks { truth: "T", falsity: "F" };
    /// V and F.
    pub const SPANISH: Marks = Marks { truth: "V", falsity: "F" };
    /// 1 and 0.
    pub const DIGITS: Marks = Marks { truth: "1", falsity: "0" };

    fn of(self, value: bool) -> &'static str {
        if value { self.truth } else { self.falsity }
    }
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// Columns in line, for a terminal.
    #[default]
    Text,
    /// A table of GitHub-flavoured Markdown.
    Markdown,
    /// A `tabular` with formulas in math mode.
    Latex,
    /// Comma-separated values (RFC 4180, with plain line feeds).
    Csv,
    /// A `<table>`.
    Html,
}

impl<'f> TruthTable<'f> {
    /// The table with atoms and result, true first, as T and F.
    pub fn new(formula: &'f Formula) -> TruthTable<'f> {
        TruthTable { formula, columns: Columns::default(), order: RowOrder::default(), marks: Marks::ENGLISH }
    }

    /// The formula of each column: atoms first.
    pub fn header(&self) -> Vec<Formula> {
        let atoms = self.formula.atoms().into_iter().map(Formula::atom);
        let shown = self.shown_nodes().into_iter().map(|index| self.formula.subformula(index));
        atoms.chain(shown).collect()
    }

    /// The rows, each with a value for each column.
    pub fn rows(&self) -> impl Iterator<Item = Vec<bool>> + use<'f> {
        let (formula, order, shown) = (self.formula, self.order, self.shown_nodes());
        let mut atoms = Some(vec![order == RowOrder::TrueFirst; formula.atom_count()]);
        core::iter::from_fn(move || {
            let values = atoms.take()?;
            let truths = truths(formula, &values);
            let row = values.iter().copied().chain(shown.iter().map(|&index| truths[index])).collect();
            atoms = following(values, order);
            Some(row)
        })
    }

    /// The table in a format, to be displayed.
    pub fn to(self, format: TableFormat) -> impl fmt::Display + use<'f> {
        Laid { table: self, format }
    }

    /// The nodes whose subformulas are shown.
    fn shown_nodes(&self) -> Vec<usize> {
        let nodes = self.formula.nodes();
        let root = nodes.len() - 1;
        if self.columns == Columns::Formula {
            return if matches!(nodes[root], Node::Atom(_)) { Vec::new() } else { vec![root] };
        }
        let starts = self.formula.starts();
        let same = |a: usize, b: usize| nodes[starts[a] as usize..=a] == nodes[starts[b] as usize..=b];
        let mut shown: Vec<usize> = Vec::new();
        for index in (0..=root).filter(|&index| !matches!(nodes[index], Node::Atom(_))) {
            if !shown.iter().any(|&other| same(index, other)) {
                shown.push(index);
            }
        }
        shown
    }
}

/// The truth at every node.
fn truths(formula: &Formula, values: &[bool]) -> Vec<bool> {
    let starts = formula.starts();
    let mut truths: Vec<bool> = Vec::with_capacity(starts.len());
    for (index, &node) in formula.nodes().iter().enumerate() {
        truths.push(match node {
            Node::Atom(id) => values[id.index()],
            Node::Top => true,
            Node::Bottom => false,
            Node::Not => !truths[index - 1],
            Node::Binary(connective) => {
                connective.apply(truths[starts[index - 1] as usize - 1], truths[index - 1])
            }
        });
    }
    truths
}

/// The values of the next row: counting with the last atom as the lowest digit.
fn following(mut values: Vec<bool>, order: RowOrder) -> Option<Vec<bool>> {
    let first = order == RowOrder::TrueFirst;
    let turning = values.iter().rposition(|&value| value == first)?;
    values[turning] = !first;
    values[turning + 1..].fill(first);
    Some(values)
}

/// The table as text.
impl fmt::Display for TruthTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to(TableFormat::Text).fmt(f)
    }
}

struct Laid<'f> {
    table: TruthTable<'f>,
    format: TableFormat,
}

impl fmt::Display for Laid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.table.header();
        match self.format {
            TableFormat::Text => self.text(f, &header),
            TableFormat::Markdown => {
                let cells = header.iter().map(|formula| formula.to_string().replace('|', "\\|"));
                line(f, "| ", cells, " | ", " |\n")?;
                line(f, "|", header.iter().map(|_| "---"), "|", "|\n")?;
                self.lines(f, "| ", " | ", " |\n")
            }
            TableFormat::Latex => {
                writeln!(f, "\\begin{{tabular}}{{{}}}", "c".repeat(header.len()))?;
                let cells =
                    header.iter().map(|formula| alloc::format!("${}$", formula.display(Notation::Latex)));
                line(f, "", cells, " & ", " \\\\ \\hline\n")?;
                self.lines(f, "", " & ", " \\\\\n")?;
                f.write_str("\\end{tabular}\n")
            }
            TableFormat::Csv => {
                line(f, "", header.iter().map(|formula| csv_cell(&formula.to_string())), ",", "\n")?;
                self.lines(f, "", ",", "\n")
            }
            TableFormat::Html => {
                f.write_str("<table>\n")?;
                let cells = header.iter().map(|formula| html_text(&formula.to_string()));
                line(f, "<tr><th>", cells, "</th><th>", "</th></tr>\n")?;
                self.lines(f, "<tr><td>", "</td><td>", "</td></tr>\n")?;
                f.write_str("</table>\n")
            }
        }
    }
}

impl Laid<'_> {
    fn lines(&self, f: &mut fmt::Formatter<'_>, open: &str, between: &str, close: &str) -> fmt::Result {
        let marks = self.table.marks;
        self.table
            .rows()
            .try_for_each(|row| line(f, open, row.iter().map(|&value| marks.of(value)), between, close))
    }

    fn text(&self, f: &mut fmt::Formatter<'_>, header: &[Formula]) -> fmt::Result {
        let marks = self.table.marks;
        let heads: Vec<String> = header.iter().map(ToString::to_string).collect();
        let mark_width = marks.truth.chars().count().max(marks.falsity.chars().count());
        let widths: Vec<usize> = heads.iter().map(|head| head.chars().count().max(mark_width)).collect();
        padded(f, heads.iter().map(String::as_str), &widths)?;
        line(f, "", widths.iter().map(|&width| "─".repeat(width)), "─┼─", "\n")?;
        self.table.rows().try_for_each(|row| padded(f, row.iter().map(|&value| marks.of(value)), &widths))
    }
}

/// Cells in columns of these widths, without spaces at the end.
fn padded<'c>(
    f: &mut fmt::Formatter<'_>,
    cells: impl Iterator<Item = &'c str>,
    widths: &[usize],
) -> fmt::Result {
    for (index, (cell, &width)) in cells.zip(widths).enumerate() {
        match (index, index + 1 == widths.len()) {
            (0, true) => f.write_str(cell)?,
            (0, false) => write!(f, "{cell:width$}")?,
            (_, false) => write!(f, " │ {cell:width$}")?,
            (_, true) => write!(f, " │ {cell}")?,
        }
    }
    f.write_char('\n')
}

fn line(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    cells: impl Iterator<Item = impl AsRef<str>>,
    between: &str,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (index, cell) in cells.enumerate() {
        f.write_str(if index == 0 { "" } else { between })?;
        f.write_str(cell.as_ref())?;
    }
    f.write_str(close)
}

fn csv_cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        alloc::format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

fn html_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(text: &str) -> Formula {
        Formula::parse(text).expect("well-formed")
    }

    #[test]
    fn each_format_is_what_its_readers_expect() {
        let formula = formula("p ⊕ \"a,b\"");
        let table =
            TruthTable { marks: Marks::DIGITS, order: RowOrder::FalseFirst, ..TruthTable::new(&formula) };
        assert_eq!(
            table.to(TableFormat::Csv).to_string(),
            "p,\"\"\"a,b\"\"\",\"p ⊕ \"\"a,b\"\"\"\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
        );
        let plain = Formula::parse("p ∧ q").expect("well-formed");
        let table = TruthTable::new(&plain);
        assert_eq!(
            table.to(TableFormat::Latex).to_string(),
            "\\begin{tabular}{ccc}\n$p$ & $q$ & $p \\land q$ \\\\ \\hline\nT & T & T \\\\\nT & F & F \\\\\nF & T & F \\\\\n\
             F & F & F \\\\\n\\end{tabular}\n"
        );
        assert_eq!(
            table.to(TableFormat::Html).to_string(),
            "<table>\n<tr><th>p</th><th>q</th><th>p ∧ q</th></tr>\n<tr><td>T</td><td>T</td><td>T</td></tr>\n\
             <tr><td>T</td><td>F</td><td>F</td></tr>\n<tr><td>F</td><td>T</td><td>F</td></tr>\n\
             <tr><td>F</td><td>F</td><td>F</td></tr>\n</table>\n"
        );
    }

    #[test]
    fn equal_subformulas_share_a_column() {
        let formula = formula("(p → q) ∧ ((p → q) → ⊤)");
        let table = TruthTable { columns: Columns::Subformulas, ..TruthTable::new(&formula) };
        let header: Vec<String> = table.header().iter().map(ToString::to_string).collect();
        assert_eq!(header, ["p", "q", "p → q", "⊤", "(p → q) → ⊤", "(p → q) ∧ ((p → q) → ⊤)"]);
    }

    #[test]
    fn rows_stream_however_many_there_are() {
        let wide = (0..100)
            .map(|index| Formula::atom(&alloc::format!("a{index}")))
            .reduce(Formula::or)
            .expect("some");
        let table = TruthTable { order: RowOrder::FalseFirst, ..TruthTable::new(&wide) };
        let results: Vec<bool> = table.rows().take(3).map(|row| row[100]).collect();
        assert_eq!(results, [false, true, true]);
        assert_eq!(TruthTable::new(&formula("p ↔ q ↔ r")).rows().count(), 8);
        assert_eq!(TruthTable::new(&Formula::top()).rows().collect::<Vec<_>>(), [[true]]);
    }
}
