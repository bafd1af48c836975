//! What endings tell of words that no table holds.

use std::sync::OnceLock;

use crate::lexicon::lines;

const ENDINGS: &str = include_str!("../../data/es/endings.tsv");

/// Some endings.
#[derive(Debug, Default)]
pub struct Endings(Vec<&'static str>);

impl Endings {
    /// Whether the word ends so.
    pub fn end(&self, word: &str) -> bool {
        self.0.iter().any(|ending| word.ends_with(ending))
    }

    /// The word without the first of the endings that it has, if `keep` allows what is left.
    pub fn cut<'w>(&self, word: &'w str, keep: impl Fn(&str) -> bool) -> Option<&'w str> {
        self.0.iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| keep(rest)))
    }
}

/// The lines of `endings.tsv`, which says what each is for.
#[derive(Debug, Default)]
pub struct Known {
    pub finite: Endings,
    pub nominal: Endings,
    pub weak: Endings,
    pub pronominal: Endings,
    pub subjunctive: Endings,
    pub plural: Endings,
    pub second: Endings,
    pub infinitive: Endings,
    enclitic: Endings,
    inner: Endings,
    tense: Endings,
    ending: Endings,
}

/// The table, read at the first call.
pub fn endings() -> &'static Known {
    static READ: OnceLock<Known> = OnceLock::new();
    READ.get_or_init(Known::read)
}

impl Known {
    fn read() -> Known {
        let mut known = Known::default();
        for line in lines(ENDINGS) {
            let (name, endings) = line.split_once('\t').expect("a name, a tab and endings");
            let field = match name {
                "finite" => &mut known.finite,
                "nominal" => &mut known.nominal,
                "weak" => &mut known.weak,
                "pronominal" => &mut known.pronominal,
                "subjunctive" => &mut known.subjunctive,
                "plural" => &mut known.plural,
                "second" => &mut known.second,
                "infinitive" => &mut known.infinitive,
                "enclitic" => &mut known.enclitic,
                "inner" => &mut known.inner,
                "tense" => &mut known.tense,
                "ending" => &mut known.ending,
                other => panic!("no endings are called {other}"),
            };
            *field = Endings(endings.split(' ').collect());
        }
        known
    }

    /// Whether the word is an infinitive with pronouns: *comérselo*.
    pub fn is_infinitive_with_pronoun(&self, word: &str) -> bool {
        let verbal = |rest: &str| self.infinitive.end(rest) || self.inner.end(rest);
        self.enclitic.cut(word, verbal).is_some_and(|rest| {
            let bare = self.inner.cut(rest, |_| true).unwrap_or(rest);
            bare.len() > 3 && self.infinitive.end(bare)
        })
    }

    /// A verb without its ending, spelled by its sound, so that *pago* and *pagué* are one.
    pub fn verb_stem(&self, word: &str) -> String {
        let cut = self.tense.cut(word, |rest| rest.len() > 2).or_else(|| self.ending.cut(word, |_| true));
        let stem = cut.unwrap_or(word).trim_end_matches(['a', 'e', 'o', 'i']);
        let (rest, sound) = match stem {
            _ if stem.ends_with("qu") => (&stem[..stem.len() - 2], "c"),
            _ if stem.ends_with("gu") => (&stem[..stem.len() - 2], "g"),
            _ if stem.ends_with('z') => (&stem[..stem.len() - 1], "c"),
            _ => (stem, ""),
        };
        format!("{rest}{sound}")
    }
}
