//! Reads the tables of `data/es/` once and indexes them by domain and class.

use std::collections::HashMap;
use std::sync::OnceLock;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::noun::Noun;
use super::verb::{Irregular, Verb, conjugate, read_irregular};
use super::{lines, pseudo};

const VERBS: &str = include_str!("../../data/es/verbs.tsv");
const NOUNS: &str = include_str!("../../data/es/nouns.tsv");
const NAMES: &str = include_str!("../../data/es/names.tsv");
const ADJECTIVES: &str = include_str!("../../data/es/adjectives.tsv");
const IMPERSONAL: &str = include_str!("../../data/es/impersonal.tsv");
const PASSIVE: &str = include_str!("../../data/es/passive.tsv");
const GUSTAR: &str = include_str!("../../data/es/gustar.tsv");
const SYMBOLS: &str = include_str!("../../data/es/symbols.tsv");
const ADJUNCTS: &str = include_str!("../../data/es/adjuncts.tsv");
const NOMINAL: &str = include_str!("../../data/es/nominal.tsv");
const MODIFIERS: &str = include_str!("../../data/es/modifiers.tsv");
pub const IRREGULAR: &str = include_str!("../../data/es/irregular.tsv");

/// A piece of a complement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Word(String),
    /// `@class`: a noun of the class with any determiner.
    Phrase(usize),
    /// `=class`: a noun with the definite article.
    Definite(usize),
    /// `~class`: a bare plural.
    BarePlural(usize),
    /// `%class`: a bare singular.
    Bare(usize),
    /// `#nombre`: the name of a person.
    Name,
    /// `#lugar`: the name of a place.
    Place,
    /// `N`: a number.
    Number,
    /// `D`: a day or an hour.
    Day,
    /// `F`: a number that may have decimals.
    Decimal,
}

/// A verb with the subjects it takes and the complements it governs.
#[derive(Clone, Debug)]
pub struct VerbUse {
    pub verb: &'static Verb,
    pub subjects: Vec<Subject>,
    pub complements: Vec<Vec<Piece>>,
}

/// Who may be the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// First and second persons.
    Personal,
    Name,
    Team,
    /// x, y, n …
    Variable,
    Class(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copula {
    Ser,
    Estar,
}

/// What a copula says of its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjective {
    Agreeing(String),
    /// *un artista / una artista*.
    WithArticle(String),
    Fixed(String),
}

#[derive(Clone, Debug)]
pub struct Predicates {
    pub copula: Copula,
    pub subjects: Vec<Subject>,
    pub adjectives: Vec<Adjective>,
}

/// A verb without a subject: *llueve*, *hay pan*.
#[derive(Clone, Debug)]
pub struct Impersonal {
    pub verb: &'static Verb,
    pub complements: Vec<Vec<Piece>>,
}

/// A verb said with *se* of what it is done to: *se firma el contrato*.
#[derive(Clone, Debug)]
pub struct Passive {
    pub verb: &'static Verb,
    pub classes: Vec<usize>,
}

/// A verb whose subject pleases, hurts or worries somebody: *me gusta el cine*.
#[derive(Clone, Debug)]
pub struct Pleasing {
    pub verb: &'static Verb,
    pub classes: Vec<usize>,
}

/// Everything the tables say.
pub struct Lexicon {
    pub classes: Vec<Vec<Noun>>,
    /// Classes of those who own things: *el libro de la vecina*.
    pub owners: Vec<usize>,
    pub men: Vec<String>,
    pub women: Vec<String>,
    pub surnames: Vec<String>,
    pub places: Vec<String>,
    pub teams: Vec<Noun>,
    pub domains: Vec<Domain>,
    /// Nouns of what verbs say.
    pub nominal: Vec<Noun>,
    pub pleasing: Vec<Pleasing>,
    pub pleasing_infinitives: Vec<String>,
    pub symbols: Vec<Vec<String>>,
    pub modifying_phrases: Vec<String>,
    pub adjuncts: Vec<&'static str>,
    pub pseudo: Pseudo,
    pub aux: Auxiliaries,
    /// Every verb of the tables, by infinitive.
    pub verbs: Vec<&'static Verb>,
}

/// What one domain talks about.
#[derive(Default)]
pub struct Domain {
    pub code: String,
    pub verbs: Vec<VerbUse>,
    pub predicates: Vec<Predicates>,
    pub impersonal: Vec<Impersonal>,
    pub passive: Vec<Passive>,
}

/// Words that do not exist.
pub struct Pseudo {
    pub verbs: Vec<&'static Verb>,
    pub nouns: Vec<Noun>,
    pub adjectives: Vec<String>,
    pub men: Vec<String>,
    pub women: Vec<String>,
}

/// The verbs that build tenses and moods of others.
pub struct Auxiliaries {
    pub haber: &'static Verb,
    pub ser: &'static Verb,
    pub estar: &'static Verb,
    pub ir: &'static Verb,
    pub poder: &'static Verb,
    pub deber: &'static Verb,
    pub tener: &'static Verb,
    pub hacer: &'static Verb,
    pub querer: &'static Verb,
    pub soler: &'static Verb,
    pub necesitar: &'static Verb,
    pub pensar: &'static Verb,
    pub dejar: &'static Verb,
    pub empezar: &'static Verb,
    /// *parecer*, *resultar*: what may stand for *ser* before an adjective.
    pub like_ser: Vec<&'static Verb>,
    /// *seguir*, *quedar*: what may stand for *estar*.
    pub like_estar: Vec<&'static Verb>,
    /// The verbs of *no es cierto*, *no se da el caso*, *no sucede*.
    pub denials: Vec<&'static Verb>,
}

/// The lexicon, read at the first call.
pub fn lexicon() -> &'static Lexicon {
    static LEXICON: OnceLock<Lexicon> = OnceLock::new();
    LEXICON.get_or_init(Lexicon::read)
}

struct Reader {
    classes: HashMap<&'static str, usize>,
    verbs: HashMap<&'static str, &'static Verb>,
    irregular: Irregular<'static>,
    nominal: HashMap<&'static str, &'static str>,
}

impl Reader {
    fn verb(&mut self, entry: &'static str) -> &'static Verb {
        if let Some(verb) = self.verbs.get(entry) {
            return verb;
        }
        let mut verb =
            conjugate(entry, &self.irregular).unwrap_or_else(|| panic!("{entry} is no infinitive"));
        verb.nominal = self.nominal.get(verb.infinitive.as_str()).map(|noun| Noun::read(noun));
        let verb: &'static Verb = Box::leak(Box::new(verb));
        self.verbs.insert(entry, verb);
        verb
    }

    fn class(&self, name: &str) -> usize {
        *self.classes.get(name).unwrap_or_else(|| panic!("no class of nouns is called {name}"))
    }

    fn complements(&self, field: &str) -> Vec<Vec<Piece>> {
        field.split('|').map(|one| self.pieces(one)).collect()
    }

    fn pieces(&self, text: &str) -> Vec<Piece> {
        let word = |word: &str| {
            let (mark, name) = (word.chars().next(), word.get(1..).unwrap_or(""));
            match mark {
                Some('N') if name.is_empty() => Piece::Number,
                Some('D') if name.is_empty() => Piece::Day,
                Some('F') if name.is_empty() => Piece::Decimal,
                _ if name.is_empty() => Piece::Word(word.to_owned()),
                Some('@') => Piece::Phrase(self.class(name)),
                Some('=') => Piece::Definite(self.class(name)),
                Some('~') => Piece::BarePlural(self.class(name)),
                Some('%') => Piece::Bare(self.class(name)),
                Some('#') if name == "nombre" => Piece::Name,
                Some('#') => Piece::Place,
                _ => Piece::Word(word.to_owned()),
            }
        };
        text.split_whitespace().filter(|w| *w != "-").map(word).collect()
    }

    fn subjects(&self, field: &str) -> Vec<Subject> {
        let subject = |name| match name {
            "tú" => Subject::Personal,
            "nombre" => Subject::Name,
            "equipo" => Subject::Team,
            "variable" => Subject::Variable,
            class => Subject::Class(self.class(class)),
        };
        field.split('|').map(subject).collect()
    }
}

fn fields(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    lines(text).map(|line| line.split('\t').collect())
}

fn list(field: &'static str) -> impl Iterator<Item = &'static str> {
    field.split(',').map(str::trim).filter(|word| !word.is_empty())
}

impl Lexicon {
    fn read() -> Lexicon {
        let mut reader = Reader {
            classes: HashMap::new(),
            verbs: HashMap::new(),
            irregular: read_irregular(IRREGULAR),
            nominal: fields(NOMINAL).map(|line| (line[0], line[1])).collect(),
        };
        let mut classes = Vec::new();
        for line in fields(NOUNS) {
            reader.classes.insert(line[0], classes.len());
            classes.push(list(line[1]).map(Noun::read).collect());
        }
        let names = |key: &str| -> Vec<String> {
            fields(NAMES).filter(|l| l[0] == key).flat_map(|l| list(l[1])).map(str::to_owned).collect()
        };
        let modifiers = |key: &str| -> Vec<String> {
            fields(MODIFIERS).filter(|l| l[0] == key).flat_map(|l| list(l[1])).map(str::to_owned).collect()
        };
        let mut pleasing = Vec::new();
        let mut pleasing_infinitives = Vec::new();
        for line in fields(GUSTAR) {
            match line[0] {
                "inf" => pleasing_infinitives.extend(list(line[1]).map(str::to_owned)),
                "dolor" => {
                    reader.classes.insert("dolor", classes.len());
                    classes.push(list(line[1]).map(Noun::read).collect());
                }
                _ => {}
            }
        }
        for line in fields(GUSTAR).filter(|l| l[0] != "inf" && l[0] != "dolor") {
            let classes = line[1].split('|').map(|name| reader.class(name)).collect();
            pleasing.push(Pleasing { verb: reader.verb(line[0]), classes });
        }
        let domains = read_domains(&mut reader);
        let pseudo = Pseudo::draw(&reader.irregular);
        let owners =
            ["persona", "persona", "alumno", "trabajador", "cientifico", "empresa", "lugar", "grupo"];
        let owners = owners.map(|class| reader.class(class)).into();
        let aux = Auxiliaries::read(&mut reader);
        let mut verbs: Vec<&'static Verb> = reader.verbs.into_values().collect();
        verbs.sort_by(|a, b| a.infinitive.cmp(&b.infinitive));
        Lexicon {
            owners,
            classes,
            men: names("m"),
            women: names("f"),
            surnames: names("apellido"),
            places: names("lugar"),
            teams: fields(NAMES)
                .filter(|l| l[0] == "equipo")
                .flat_map(|l| list(l[1]))
                .map(Noun::read)
                .collect(),
            domains,
            nominal: reader.nominal.values().map(|noun| Noun::read(noun)).collect(),
            pleasing,
            pleasing_infinitives,
            symbols: lines(SYMBOLS).map(|l| l.split(' ').map(str::to_owned).collect()).collect(),
            modifying_phrases: modifiers("fixed"),
            adjuncts: lines(ADJUNCTS).collect(),
            pseudo,
            aux,
            verbs,
        }
    }
}

impl Auxiliaries {
    fn read(reader: &mut Reader) -> Auxiliaries {
        Auxiliaries {
            haber: reader.verb("haber"),
            ser: reader.verb("ser"),
            estar: reader.verb("estar"),
            ir: reader.verb("ir"),
            poder: reader.verb("poder:ue"),
            deber: reader.verb("deber"),
            tener: reader.verb("tener:ie"),
            hacer: reader.verb("hacer"),
            querer: reader.verb("querer:ie"),
            soler: reader.verb("soler:ue"),
            necesitar: reader.verb("necesitar"),
            pensar: reader.verb("pensar:ie"),
            dejar: reader.verb("dejar"),
            empezar: reader.verb("empezar:ie"),
            denials: ["ser", "dar", "suceder", "ocurrir", "pasar", "cumplir"]
                .map(|verb| reader.verb(verb))
                .into(),
            like_ser: ["parecer", "resultar", "volverse:ue"].map(|verb| reader.verb(verb)).into(),
            like_estar: ["seguir:i", "quedar", "parecer", "permanecer"].map(|verb| reader.verb(verb)).into(),
        }
    }
}

fn read_domains(reader: &mut Reader) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::new();
    let mut domain = |code: &str, fill: &mut dyn FnMut(&mut Domain)| {
        let at = domains.iter().position(|d| d.code == code).unwrap_or_else(|| {
            domains.push(Domain { code: code.to_owned(), ..Domain::default() });
            domains.len() - 1
        });
        fill(&mut domains[at]);
    };
    for line in fields(VERBS) {
        let (subjects, complements) = (reader.subjects(line[2]), reader.complements(line[3]));
        for entry in list(line[1]) {
            let (subjects, complements) = (subjects.clone(), complements.clone());
            let verb = reader.verb(entry);
            let mut one = Some(VerbUse { verb, subjects, complements });
            domain(line[0], &mut |d| d.verbs.extend(one.take()));
        }
    }
    for line in fields(ADJECTIVES) {
        let adjective = |word: &'static str| match word.split_once(':') {
            Some(("n", noun)) => Adjective::WithArticle(noun.to_owned()),
            Some(("n0", noun)) => Adjective::Agreeing(noun.to_owned()),
            Some(("u", noun)) => Adjective::Fixed(format!("un {noun}")),
            Some(("f", noun)) => Adjective::Fixed(format!("una {noun}")),
            _ => match word.strip_prefix('=') {
                Some(fixed) => Adjective::Fixed(fixed.to_owned()),
                None => Adjective::Agreeing(word.to_owned()),
            },
        };
        let predicates = Predicates {
            copula: if line[0] == "ser" { Copula::Ser } else { Copula::Estar },
            subjects: reader.subjects(line[2]),
            adjectives: list(line[3]).map(adjective).collect(),
        };
        domain(line[1], &mut |d| d.predicates.push(predicates.clone()));
    }
    for line in fields(IMPERSONAL) {
        let one = Impersonal { verb: reader.verb(line[1]), complements: reader.complements(line[2]) };
        domain(line[0], &mut |d| d.impersonal.push(one.clone()));
    }
    for line in fields(PASSIVE) {
        let classes: Vec<usize> = line[2].split('|').map(|name| reader.class(name)).collect();
        for entry in list(line[1]) {
            let one = Passive { verb: reader.verb(entry), classes: classes.clone() };
            domain(line[0], &mut |d| d.passive.push(one.clone()));
        }
    }
    domains
}

impl Pseudo {
    fn draw(irregular: &Irregular<'_>) -> Pseudo {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let verbs = (0..800)
            .filter_map(|_| conjugate(&pseudo::infinitive(&mut rng), irregular))
            .map(|verb| &*Box::leak(Box::new(verb)))
            .collect();
        let nouns = (0..4000).map(|_| pseudo::noun(&mut rng)).collect();
        let adjectives = (0..1500).map(|_| pseudo::adjective(&mut rng)).collect();
        let (women, men): (Vec<_>, Vec<_>) = (0..2000).map(|_| pseudo::name(&mut rng)).partition(|(_, f)| *f);
        let text = |names: Vec<(String, bool)>| names.into_iter().map(|(name, _)| name).collect();
        Pseudo { verbs, nouns, adjectives, men: text(men), women: text(women) }
    }
}
