//! Spanish conjugation: regular endings, stem changes and spelling rules in code, the rest in `irregular.tsv`.

use std::collections::HashMap;

use super::noun::Noun;

/// The simple tenses, in the order of [`Verb::finite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simple {
    Present,
    Imperfect,
    Preterite,
    Future,
    Conditional,
    PresentSubjunctive,
    ImperfectSubjunctive,
    /// The forms in *-se*, which mean the same as those in *-ra*.
    ImperfectSubjunctiveSe,
}

impl Simple {
    pub const ALL: [Simple; 8] = [
        Simple::Present,
        Simple::Imperfect,
        Simple::Preterite,
        Simple::Future,
        Simple::Conditional,
        Simple::PresentSubjunctive,
        Simple::ImperfectSubjunctive,
        Simple::ImperfectSubjunctiveSe,
    ];
}

/// Who acts, in the order of [`Verb::finite`]'s inner arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    Yo,
    Tu,
    El,
    Nosotros,
    Vosotros,
    Ellos,
    Vos,
}

/// All forms of one verb.
#[derive(Clone, Debug)]
pub struct Verb {
    pub infinitive: String,
    pub gerund: String,
    pub participle: String,
    pub reflexive: bool,
    /// The noun of what it says: *la subida* of *subir*.
    pub nominal: Option<Noun>,
    finite: [[String; 7]; 8],
}

impl Verb {
    pub fn finite(&self, tense: Simple, person: Person) -> &str {
        &self.finite[tense as usize][person as usize]
    }

    /// The seven persons of a tense, in the order of [`Person`].
    pub fn persons(&self, tense: Simple) -> &[String; 7] {
        &self.finite[tense as usize]
    }
}

/// Exceptions of one verb, as `irregular.tsv` writes them: `yo=tengo`, `pret=tuv`, `fut=tendr`, `part=roto` …
pub type Irregular<'a> = HashMap<&'a str, HashMap<&'a str, &'a str>>;

/// Reads lines of `infinitive <tab> key=value key=value …`.
pub fn read_irregular(text: &str) -> Irregular<'_> {
    super::lines(text)
        .filter_map(|line| {
            let (verb, rest) = line.split_once('\t')?;
            Some((verb, rest.split_whitespace().filter_map(|pair| pair.split_once('=')).collect()))
        })
        .collect()
}

/// What happens to the last vowel of the stem when it is stressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    Ie,
    Ue,
    I,
    /// *enviar* → *envío*, *actuar* → *actúo*.
    Accent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ar,
    Er,
    Ir,
}

/// Conjugates `entry`: an infinitive, with *se* if reflexive, with its stem change after a colon (`pensar:ie`).
pub fn conjugate(entry: &str, irregular: &Irregular<'_>) -> Option<Verb> {
    let (lemma, change) = entry.split_once(':').unwrap_or((entry, ""));
    let change = match change {
        "ie" => Change::Ie,
        "ue" => Change::Ue,
        "i" => Change::I,
        "´" => Change::Accent,
        _ => Change::None,
    };
    let (infinitive, reflexive) = match lemma.strip_suffix("se") {
        Some(bare) if bare.ends_with('r') => (bare, true),
        _ => (lemma, false),
    };
    let class = match infinitive.chars().rev().nth(1)? {
        'a' => Class::Ar,
        'e' => Class::Er,
        'i' | 'í' => Class::Ir,
        _ => return None,
    };
    let cut = infinitive.char_indices().rev().nth(1)?.0;
    let stem = Stem { text: &infinitive[..cut], class, change };
    let nothing = HashMap::new();
    let odd = irregular.get(infinitive).unwrap_or(&nothing);
    let forms = |key: &str| -> Option<Vec<String>> {
        let list: Vec<String> = odd.get(key)?.split(',').map(str::to_owned).collect();
        (list.len() == 6).then_some(list)
    };

    let present = match forms("pres") {
        Some(list) => with_vos(list, |f| f[1].clone()),
        None => {
            let mut six = stem.present();
            if let Some(yo) = odd.get("yo") {
                six[0] = (*yo).to_owned();
            }
            with_vos(six, |_| stem.vos())
        }
    };
    let present_subjunctive = match (forms("sub"), odd.get("sub").or(odd.get("yo"))) {
        (Some(list), _) => with_vos(list, |f| f[1].clone()),
        (None, Some(first)) => {
            let root = first.strip_suffix(['o', 'a']).unwrap_or(first);
            with_vos(attach(root, class.subjunctive_endings()), |f| f[1].clone())
        }
        _ => with_vos(stem.present_subjunctive(), |f| f[1].clone()),
    };
    let preterite = match odd.get("pret") {
        Some(list) if list.contains(',') => forms("pret")?,
        Some(root) => {
            let third = if root.ends_with('j') { "eron" } else { "ieron" };
            attach(root, ["e", "iste", "o", "imos", "isteis", third])
        }
        None => stem.preterite(),
    };
    let imperfect = match forms("impf") {
        Some(list) => list,
        None if class == Class::Ar => attach(stem.text, ["aba", "abas", "aba", "ábamos", "abais", "aban"]),
        None => attach(stem.text, ["ía", "ías", "ía", "íamos", "íais", "ían"]),
    };
    let plain = infinitive.replace('í', "i");
    let future_root = odd.get("fut").copied().unwrap_or(&plain);
    let future = attach(future_root, ["é", "ás", "á", "emos", "éis", "án"]);
    let conditional = attach(future_root, ["ía", "ías", "ía", "íamos", "íais", "ían"]);
    let past_root = preterite[5].trim_end_matches("ron").to_owned();
    let stressed = accent_last_vowel(&past_root);
    let ra = ["ra", "ras", "ra", "ramos", "rais", "ran"];
    let se = ["se", "ses", "se", "semos", "seis", "sen"];
    let past_subjunctive = |endings: [&str; 6]| {
        let mut six = attach(&past_root, endings);
        six[3] = format!("{stressed}{}", endings[3]);
        with_vos(six, |f| f[1].clone())
    };
    let as_tu = |six: Vec<String>| with_vos(six, |f| f[1].clone());

    Some(Verb {
        infinitive: infinitive.to_owned(),
        gerund: odd.get("ger").map_or_else(|| stem.gerund(), |g| (*g).to_owned()),
        participle: odd.get("part").map_or_else(|| stem.participle(), |p| (*p).to_owned()),
        reflexive,
        nominal: None,
        finite: [
            present,
            as_tu(imperfect),
            as_tu(preterite),
            as_tu(future),
            as_tu(conditional),
            present_subjunctive,
            past_subjunctive(ra),
            past_subjunctive(se),
        ],
    })
}

struct Stem<'a> {
    text: &'a str,
    class: Class,
    change: Change,
}

impl Class {
    fn present_endings(self) -> [&'static str; 6] {
        match self {
            Class::Ar => ["o", "as", "a", "amos", "áis", "an"],
            Class::Er => ["o", "es", "e", "emos", "éis", "en"],
            Class::Ir => ["o", "es", "e", "imos", "ís", "en"],
        }
    }

    fn subjunctive_endings(self) -> [&'static str; 6] {
        match self {
            Class::Ar => ["e", "es", "e", "emos", "éis", "en"],
            _ => ["a", "as", "a", "amos", "áis", "an"],
        }
    }
}

impl Stem<'_> {
    /// The stem of stressed forms: *piens-*, *cuent-*, *pid-*, *envi-* → *enví-*, *constru-* → *construy-*.
    fn stressed(&self) -> String {
        let swap = |vowels: &[char], by: &str| match self.text.rfind(vowels) {
            Some(at) => format!("{}{by}{}", &self.text[..at], &self.text[at + 1..]),
            None => self.text.to_owned(),
        };
        match self.change {
            Change::Ie if self.text.starts_with('e') && self.text.rfind(['e']) == Some(0) => {
                swap(&['e'], "ye")
            }
            Change::Ie => swap(&['e'], "ie"),
            Change::Ue => match self.text.rfind(['o', 'u']) {
                Some(at) if self.text[..at].ends_with('g') && self.text[at..].starts_with('o') => {
                    swap(&['o', 'u'], "üe")
                }
                _ => swap(&['o', 'u'], "ue"),
            },
            Change::I => swap(&['e'], "i"),
            Change::Accent => match self.text.rfind(['i', 'u']) {
                Some(at) if self.text[at..].starts_with('i') => swap(&['i', 'u'], "í"),
                _ => swap(&['i', 'u'], "ú"),
            },
            Change::None if self.inserts_y() => format!("{}y", self.text),
            Change::None => self.text.to_owned(),
        }
    }

    /// *-ir* verbs with a stem change weaken the vowel where it is not stressed: *sintió*, *durmiendo*, *pidamos*.
    fn weak(&self) -> String {
        let by = match (self.class, self.change) {
            (Class::Ir, Change::Ie | Change::I) => ("e", "i"),
            (Class::Ir, Change::Ue) => ("o", "u"),
            _ => return self.text.to_owned(),
        };
        match self.text.rfind(by.0) {
            Some(at) => format!("{}{}{}", &self.text[..at], by.1, &self.text[at + 1..]),
            None => self.text.to_owned(),
        }
    }

    fn inserts_y(&self) -> bool {
        self.class == Class::Ir
            && self.text.ends_with('u')
            && !self.text.ends_with("gu")
            && !self.text.ends_with("qu")
    }

    /// *leer*, *caer*, *oír*: the ending's i stands between vowels.
    fn hiatus(&self) -> bool {
        self.class != Class::Ar && self.text.ends_with(['a', 'e', 'o'])
    }

    fn present(&self) -> Vec<String> {
        let ends = self.class.present_endings();
        let strong = self.stressed();
        (0..6)
            .map(|i| match i {
                0 => spell(&self.before_o(&strong), "o", self.class),
                3 | 4 => spell(self.text, ends[i], self.class),
                _ => spell(&strong, ends[i], self.class),
            })
            .collect()
    }

    fn vos(&self) -> String {
        let end = match self.class {
            Class::Ar => "ás",
            Class::Er => "és",
            Class::Ir => "ís",
        };
        format!("{}{end}", self.text)
    }

    fn present_subjunctive(&self) -> Vec<String> {
        let ends = self.class.subjunctive_endings();
        let strong = self.before_o(&self.stressed());
        let weak = if self.inserts_y() { self.stressed() } else { self.before_o(&self.weak()) };
        (0..6).map(|i| spell(if matches!(i, 3 | 4) { &weak } else { &strong }, ends[i], self.class)).collect()
    }

    /// *conozc-o*, *venz-o*: what *-cer* and *-cir* become before o and a.
    fn before_o(&self, stem: &str) -> String {
        if self.class == Class::Ar || !stem.ends_with('c') {
            return stem.to_owned();
        }
        let root = &stem[..stem.len() - 1];
        if root.ends_with(['a', 'e', 'i', 'o', 'u']) && !root.ends_with("ue") {
            format!("{root}zc")
        } else {
            format!("{root}z")
        }
    }

    fn preterite(&self) -> Vec<String> {
        let weak = self.weak();
        match self.class {
            Class::Ar => {
                ["é", "aste", "ó", "amos", "asteis", "aron"].map(|e| spell(self.text, e, Class::Ar)).into()
            }
            _ if self.text.ends_with("duc") => {
                let j = format!("{}j", &self.text[..self.text.len() - 1]);
                attach(&j, ["e", "iste", "o", "imos", "isteis", "eron"])
            }
            _ if self.hiatus() => attach(self.text, ["í", "íste", "yó", "ímos", "ísteis", "yeron"]),
            _ if self.inserts_y() => attach(self.text, ["í", "iste", "yó", "imos", "isteis", "yeron"]),
            _ => {
                let (o, eron) = if self.text.ends_with('ñ') { ("ó", "eron") } else { ("ió", "ieron") };
                let mut six = attach(self.text, ["í", "iste", "", "imos", "isteis", ""]);
                six[2] = format!("{weak}{o}");
                six[5] = format!("{weak}{eron}");
                six
            }
        }
    }

    fn gerund(&self) -> String {
        match self.class {
            Class::Ar => format!("{}ando", self.text),
            _ if self.hiatus() || self.inserts_y() => format!("{}yendo", self.text),
            _ if self.text.ends_with('ñ') => format!("{}endo", self.weak()),
            _ => format!("{}iendo", self.weak()),
        }
    }

    fn participle(&self) -> String {
        match self.class {
            Class::Ar => format!("{}ado", self.text),
            _ if self.hiatus() => format!("{}ído", self.text),
            _ => format!("{}ido", self.text),
        }
    }
}

/// Joins stem and ending so that the sound stays: *busc-é* → *busqué*, *coj-o*, *sig-o*, *averigü-é*.
fn spell(stem: &str, ending: &str, class: Class) -> String {
    let soft = ending.starts_with(['e', 'é', 'i', 'í']);
    let cut = |n: usize| &stem[..stem.len() - n];
    let stem = match class {
        Class::Ar if soft && stem.ends_with("gu") => format!("{}ü", cut(1)),
        Class::Ar if soft && stem.ends_with('g') => format!("{stem}u"),
        Class::Ar if soft && stem.ends_with('c') => format!("{}qu", cut(1)),
        Class::Ar if soft && stem.ends_with('z') => format!("{}c", cut(1)),
        Class::Er | Class::Ir if !soft && stem.ends_with("gu") => format!("{}g", cut(2)),
        Class::Er | Class::Ir if !soft && stem.ends_with('g') => format!("{}j", cut(1)),
        _ => stem.to_owned(),
    };
    format!("{stem}{ending}")
}

fn attach(root: &str, endings: [&str; 6]) -> Vec<String> {
    endings.iter().map(|e| format!("{root}{e}")).collect()
}

fn with_vos(mut six: Vec<String>, vos: impl Fn(&[String]) -> String) -> [String; 7] {
    let seventh = vos(&six);
    six.push(seventh);
    six.try_into().expect("six persons and vos make seven")
}

/// *habla* → *hablá*: marks the stress on the last vowel.
pub fn accent_last_vowel(root: &str) -> String {
    let Some((at, vowel)) = root.char_indices().rev().find(|(_, c)| "aeiou".contains(*c)) else {
        return root.to_owned();
    };
    let accented = match vowel {
        'a' => 'á',
        'e' => 'é',
        'i' => 'í',
        'o' => 'ó',
        _ => 'ú',
    };
    format!("{}{accented}{}", &root[..at], &root[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(entry: &str, tense: Simple, person: Person) -> String {
        let irregular = read_irregular(super::super::IRREGULAR);
        conjugate(entry, &irregular).expect("a verb").finite(tense, person).to_owned()
    }

    #[test]
    fn conjugation_follows_the_grammar() {
        use Person::*;
        use Simple::*;
        for (entry, tense, person, expected) in [
            ("hablar", Present, Yo, "hablo"),
            ("hablar", ImperfectSubjunctive, Nosotros, "habláramos"),
            ("pensar:ie", Present, El, "piensa"),
            ("pensar:ie", Present, Nosotros, "pensamos"),
            ("sentir:ie", Preterite, El, "sintió"),
            ("sentir:ie", PresentSubjunctive, Nosotros, "sintamos"),
            ("dormir:ue", ImperfectSubjunctive, Ellos, "durmieran"),
            ("pedir:i", Preterite, Ellos, "pidieron"),
            ("seguir:i", Present, Yo, "sigo"),
            ("jugar:ue", PresentSubjunctive, El, "juegue"),
            ("empezar:ie", PresentSubjunctive, Tu, "empieces"),
            ("buscar", Preterite, Yo, "busqué"),
            ("pagar", PresentSubjunctive, El, "pague"),
            ("conocer", Present, Yo, "conozco"),
            ("vencer", PresentSubjunctive, El, "venza"),
            ("proteger", Present, Yo, "protejo"),
            ("construir", Present, El, "construye"),
            ("construir", ImperfectSubjunctive, El, "construyera"),
            ("leer", Preterite, El, "leyó"),
            ("leer", Preterite, Tu, "leíste"),
            ("caer", Present, Yo, "caigo"),
            ("conducir", Preterite, Ellos, "condujeron"),
            ("enviar:´", Present, El, "envía"),
            ("continuar:´", PresentSubjunctive, El, "continúe"),
            ("ser", ImperfectSubjunctive, El, "fuera"),
            ("ser", PresentSubjunctive, El, "sea"),
            ("ir", Future, Nosotros, "iremos"),
            ("tener", Conditional, Yo, "tendría"),
            ("tener", PresentSubjunctive, El, "tenga"),
            ("tener", Present, Vos, "tenés"),
            ("hacer", Preterite, El, "hizo"),
            ("poder:ue", Present, El, "puede"),
            ("decir:i", ImperfectSubjunctive, Ellos, "dijeran"),
            ("haber", PresentSubjunctive, El, "haya"),
            ("oír", Present, Tu, "oyes"),
            ("ver", Imperfect, Yo, "veía"),
            ("averiguar", PresentSubjunctive, El, "averigüe"),
            ("morir:ue", PresentSubjunctive, El, "muera"),
            ("llover:ue", Present, El, "llueve"),
        ] {
            assert_eq!(form(entry, tense, person), expected, "{entry} {tense:?} {person:?}");
        }
    }

    #[test]
    fn participles_and_gerunds() {
        let irregular = read_irregular(super::super::IRREGULAR);
        for (entry, participle, gerund) in [
            ("escribir", "escrito", "escribiendo"),
            ("dormir:ue", "dormido", "durmiendo"),
            ("caer", "caído", "cayendo"),
            ("abrir", "abierto", "abriendo"),
            ("construir", "construido", "construyendo"),
            ("ir", "ido", "yendo"),
        ] {
            let verb = conjugate(entry, &irregular).expect("a verb");
            assert_eq!((verb.participle.as_str(), verb.gerund.as_str()), (participle, gerund));
        }
    }
}
