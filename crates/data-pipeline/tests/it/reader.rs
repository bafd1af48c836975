//! The rule reader on what it must read, on what it must not break on, and on the sets it is measured by.

use data_pipeline::{
    Maker, gold,
    reader::{ReadError, Reader, Spanish},
    words,
};
use logic_parser::{Formula, Verdict, equivalent};
use proptest::prelude::*;

fn read(sentence: &str) -> String {
    Spanish.read(sentence).map_or_else(|error| error.to_string(), |answer| answer.formula.to_string())
}

#[test]
fn constructions_are_read_backwards() {
    for (sentence, formula) in [
        ("Si llueve, me mojo.", "p → q"),
        ("Me mojo si llueve", "p → q"),
        ("Si llueve me mojo", "p → q"),
        ("Iré a la playa solo si hace sol", "p → q"),
        ("Iré a la playa si y solo si hace sol", "p ↔ q"),
        ("El bucle sigue a menos que se pulse una tecla", "¬p → q"),
        ("No es cierto que Ana cante y Luis baile", "¬(p ∧ q)"),
        ("No es cierto que Ana cante, y Luis baila", "¬p ∧ q"),
        ("Ni Ana ni Luis cantan", "¬p ∧ ¬q"),
        ("Ana come pan y queso", "p ∧ q"),
        ("Juan estudia y María no", "p ∧ ¬q"),
        ("Canta Ana o canta Luis, pero no ambas cosas", "(p ∨ q) ∧ ¬(p ∧ q)"),
        ("Basta que un nodo caiga para que salte la alarma", "p → q"),
        ("Debes hablar inglés para trabajar en la recepción", "p → q"),
        ("Si hay red, se guarda; de lo contrario, se pierde", "(p → q) ∧ (¬p → r)"),
        ("Si apruebo, celebro; si no apruebo, no celebro", "(p → q) ∧ (¬p → ¬q)"),
        ("Me quedo en casa", "p"),
    ] {
        assert_eq!(read(sentence), formula, "{sentence}");
    }
}

#[test]
fn atoms_point_at_their_words() {
    let answer = Spanish.read("Ana no come pan ni queso").expect("a reading");
    assert_eq!(answer.formula.to_string(), "¬p ∧ ¬q");
    assert_eq!(answer.atoms["p"], "Ana come pan");
    assert_eq!(answer.atoms["q"], "Ana come queso");
}

#[test]
fn what_cannot_be_read_says_why() {
    assert!(matches!(Spanish.read("¿…?"), Err(ReadError::Input(_))));
    assert!(matches!(Spanish.read(&"y ".repeat(97)), Err(ReadError::Input(_))));
    let many = "Si Ana canta, Luis baila; si Eva llora, Juan come; si Rosa bebe, Pedro duerme; si Marta corre, \
                Diego salta; si nieva, llueve";
    assert!(matches!(Spanish.read(many), Err(ReadError::TooManyAtoms { .. })));
}

#[test]
fn a_list_of_nine_clauses_has_an_atom_too_many() {
    let list = "Ana canta, Luis baila, Eva llora, Juan come, Inés fuma, Pedro duerme, Marta corre, Diego trabaja y \
                Sara viaja";
    assert_eq!(Spanish.read(list), Err(ReadError::TooManyAtoms { found: 9 }));
    let eight = list.replace("Ana canta, ", "");
    assert_eq!(Spanish.read(&eight).map(|answer| answer.atoms.len()), Ok(8));
}

#[test]
fn what_is_said_again_is_one_atom() {
    for (sentence, formula) in [
        ("Si Ana estudia mucho, aprueba; pero si ella no estudia mucho, no aprueba", "(p → q) ∧ (¬p → ¬q)"),
        ("Si trabajas los lunes, no lo haces los domingos", "p → ¬q"),
        ("Ana trabaja mucho o no lo hace", "p ∨ ¬p"),
        ("Si estamos cansados, dormimos; si no, nosotros dormimos", "(p → q) ∧ (¬p → q)"),
        ("La figura no es triangular o la figura lo es", "¬p ∨ p"),
    ] {
        assert_eq!(read(sentence), formula, "{sentence}");
    }
}

#[test]
fn arguments_in_running_text_are_judged_as_by_hand() {
    let all = gold::arguments();
    let right = all.iter().filter(|gold| {
        let premises: Vec<&str> = gold.premises_nl.iter().map(|text| text.trim_end_matches('.')).collect();
        let text = format!("{}. Por tanto, {}", premises.join(". "), gold.conclusion_nl);
        let valid = gold.verdict == gold::Verdict::Valid;
        Spanish.read_argument(&text).is_ok_and(|read| {
            read.argument.judge().verdict == if valid { Verdict::Valid } else { Verdict::Invalid }
        })
    });
    let right = right.count();
    assert!(right >= 90, "{right} of {}", all.len());
}

#[test]
fn sentences_of_an_argument_share_their_atoms() {
    let read = |text| Spanish.read(text).expect("a reading");
    let premises =
        [read("Si la alarma suena, ladra el perro"), read("El perro no ladró"), read("El gato duerme")];
    let united = Spanish.unite(&premises, &read("La alarma no suena")).expect("few atoms");
    let formulas: Vec<String> = united.argument.premises.iter().map(ToString::to_string).collect();
    assert_eq!(formulas, ["p → q", "¬q", "r"]);
    assert_eq!(united.argument.conclusion.to_string(), "¬p");
    assert_eq!(united.atoms["r"], "El gato duerme");
    assert_eq!(united.answer().formula.to_string(), "(p → q) ∧ ¬q ∧ r → ¬p");
}

#[test]
fn two_atoms_of_one_sentence_never_share_a_letter() {
    let mut answer = Spanish.read("Dos divide a n y tres divide a n").expect("a reading");
    let dos = Spanish.read("Dos divide a n").expect("a reading");
    for text in answer.atoms.values_mut() {
        *text = "Dos divide a n".to_owned();
    }
    let united = Spanish.unite(&[dos], &answer).expect("few atoms");
    assert_eq!(united.argument.conclusion.to_string(), "p ∧ q");
}

#[test]
fn what_says_nothing_or_the_opposite_is_not_the_same() {
    for (one, other) in
        [("es", "hay"), ("", "—"), ("llueve", "no llueve"), ("Ana ve a Luis", "Luis ve a Ana")]
    {
        assert!(!Spanish.same(one, other), "{one} / {other}");
    }
    assert!(Spanish.same("la raíz de 2 es racional", "es racional"));
}

#[test]
fn the_gold_sentences_are_read_better_than_by_a_good_rule_program() {
    let rows = gold::sentences();
    let right = rows.iter().filter(|row| agrees(&row.formula, &row.input)).count();
    assert!(100 * right >= 93 * rows.len(), "{right} of {}", rows.len());
}

#[test]
fn the_makers_sentences_are_read_as_they_were_meant() {
    let maker = Maker::new(20_26);
    let right =
        (0..1_000).map(|index| maker.row(index)).filter(|row| agrees(&row.formula, &row.input)).count();
    assert!(right >= 900, "{right} of 1000");
}

/// Whether the reading is equivalent, its atoms lettered in the order of the sentence's own formula.
fn agrees(formula: &str, input: &str) -> bool {
    let Ok(answer) = Spanish.read(input) else { return false };
    let gold = Formula::parse(formula).expect("a gold formula").pattern();
    let (atoms, names) = (gold.atoms().len(), ["p", "q", "r", "s", "t", "u", "v", "w"]);
    // Letters follow the formula, whose sides a reading may exchange: any renaming that makes them equivalent.
    answer.formula.atoms().len() == atoms
        && permutations(atoms).iter().any(|order| {
            let renamed = answer.formula.rename(|atom| {
                let at = names.iter().position(|name| *name == atom).expect("a letter");
                names[order[at]].to_owned()
            });
            equivalent(&renamed, &gold).is_yes()
        })
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: Vec<usize>| {
        (0..n).map(move |at| {
            let mut order = order.clone();
            order.insert(at, last);
            order
        })
    };
    permutations(last).into_iter().flat_map(insert).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_has_a_reading_or_a_reason(text in "\\PC{0,300}") {
        check(&text);
    }

    #[test]
    fn any_heap_of_connectives_has_a_reading_or_a_reason(
        heap in prop::collection::vec(prop::sample::select(HEAP.to_vec()), 0..100)
    ) {
        check(&heap.join(" "));
    }
}

const HEAP: [&str; 32] = [
    "si",
    "y",
    "o",
    "ni",
    "no",
    "entonces",
    ",",
    ";",
    "solo",
    "que",
    "para",
    "cuando",
    "pero",
    "sí",
    "tampoco",
    "Ana",
    "canta",
    "el",
    "pan",
    "come",
    "tanto",
    "como",
    "bien",
    "ambos",
    "es",
    "necesario",
    "menos",
    "a",
    "de",
    "lo",
    "contrario",
    "comer",
];

/// Every atom's words lie in the sentence, and the same sentence has the same reading.
fn check(text: &str) {
    let Ok(answer) = Spanish.read(text) else { return };
    let all = words(text);
    for (letter, spans) in &answer.spans {
        assert!(!spans.is_empty());
        let said: Vec<&str> = spans
            .iter()
            .flat_map(|span| &all[usize::from(span.first)..=usize::from(span.last)])
            .copied()
            .collect();
        assert_eq!(answer.atoms[letter], said.join(" "));
    }
    assert!(answer.formula.atoms().into_iter().eq(answer.atoms.keys()));
    assert_eq!(Spanish.read(text), Ok(answer));
}
