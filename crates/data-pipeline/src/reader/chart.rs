//! The cheapest way to read a sentence by the grammar.
//!
//! Every span between two places of the sentence is read at most once, as one clause or by every template whose phrases
//! occur in it, and of the readings of each class the cheapest is kept. What a reading costs says how odd it is: a
//! clause without a verb or with two, a connective left unread, a mark or a mood that the construction does not ask for.
//! The number of steps is bounded, whatever the sentence.

use std::ops::Range;

use super::{
    atoms::Content,
    dictionary::Kinds,
    ellipsis,
    grammar::{Asked, Grammar, MAX_SLOTS, PhraseId, Role, Slot, Template},
    sentence::{Mark, Mood, Sentence, Verb},
};
use crate::realize::construction::{Classes, Mood as Governed};

/// An operand of another class than the construction takes.
const OTHER_CLASS: f32 = 0.8;
/// A clause with no verb at all, and one whose verb is an infinitive.
const VERBLESS: f32 = 2.0;
const INFINITIVE: f32 = 1.2;
/// A clause whose verb is not sure to be one.
const MAYBE: f32 = 0.3;
/// Each verb that a clause has too many.
const SECOND_VERB: f32 = 1.7;
/// A clause that ends in a word that leads on.
const DANGLING: f32 = 2.0;
/// A fragment that leaves connectives unread for as much is none.
const LEFT_UNREAD: f32 = 2.0;
/// Steps before the search gives up.
const MAX_STEPS: u32 = 400_000;

/// Index of a derivation in the chart.
pub type DerivationId = u32;

/// One reading of a span.
#[derive(Clone, Copy, Debug)]
pub struct Derivation {
    pub start: u8,
    pub end: u8,
    pub class: Classes,
    pub cost: f32,
    pub how: How,
}

#[derive(Clone, Copy, Debug)]
pub enum How {
    /// One clause, negated by the word at that place.
    Clause { negation: Option<u8> },
    /// Not a clause: the words as they stand.
    Fragment,
    /// A template and what its operands are.
    Template { template: u16, operands: [DerivationId; MAX_SLOTS] },
}

/// A template all of whose phrases occur.
struct Active {
    id: u16,
    template: &'static Template,
    /// Where the phrase of each joint begins: bit n for word n; all bits where it has none.
    places: [u128; MAX_SLOTS + 1],
}

impl Active {
    /// The least end of a span in which the joints from `joint` on follow each other after `at`.
    fn earliest_end(&self, grammar: &Grammar, joint: usize, mut at: u8) -> Option<u8> {
        for joint in joint..=self.template.slots.len() {
            at = match self.template.joints[joint].phrase {
                Some(phrase) => {
                    let later = self.places[joint] & (u128::MAX << at << 1);
                    if later == 0 {
                        return None;
                    }
                    later.trailing_zeros() as u8 + grammar.phrase_length(phrase)
                }
                None => at + 1,
            };
        }
        Some(at)
    }
}

/// A template that can open at a place, and the least end of what it may span.
#[derive(Clone, Copy)]
struct Opening {
    active: u16,
    earliest_end: u8,
    /// Where its first operand begins, and what the reading costs so far.
    from: u8,
    cost: f32,
}

pub struct Chart<'a, 's> {
    pub sentence: &'a Sentence<'s>,
    grammar: &'static Grammar,
    active: Vec<Active>,
    /// The templates that can open at each place, once they have been asked for.
    openings: Vec<Opening>,
    opened: Vec<Option<(u32, u32)>>,
    cells: Vec<Option<(DerivationId, DerivationId)>>,
    /// Spans read as fragments, and what that costs.
    fragments: Vec<Option<Option<(DerivationId, f32)>>>,
    pub derivations: Vec<Derivation>,
    steps: u32,
}

impl<'a, 's> Chart<'a, 's> {
    pub fn new(sentence: &'a Sentence<'s>, grammar: &'static Grammar) -> Chart<'a, 's> {
        let side = sentence.len() + 1;
        let mut starts: Vec<(PhraseId, u128)> = Vec::new();
        for one in &sentence.occurrences {
            match starts.binary_search_by_key(&one.phrase, |(phrase, _)| *phrase) {
                Ok(at) => starts[at].1 |= 1 << one.start,
                Err(at) => starts.insert(at, (one.phrase, 1 << one.start)),
            }
        }
        let places_of = |phrase: PhraseId| {
            starts.binary_search_by_key(&phrase, |(phrase, _)| *phrase).map_or(0, |at| starts[at].1)
        };
        let mut active = Vec::new();
        'templates: for id in grammar.candidates(starts.iter().map(|(phrase, _)| *phrase)) {
            let template = &grammar.templates[usize::from(id)];
            let mut places = [u128::MAX; MAX_SLOTS + 1];
            for (place, joint) in places.iter_mut().zip(&template.joints) {
                if let Some(phrase) = joint.phrase {
                    *place = places_of(phrase);
                    if *place == 0 {
                        continue 'templates;
                    }
                }
            }
            active.push(Active { id, template, places });
        }
        Chart {
            sentence,
            grammar,
            active,
            openings: Vec::new(),
            opened: vec![None; side],
            cells: vec![None; side * side],
            fragments: vec![None; side * side],
            derivations: Vec::new(),
            steps: 0,
        }
    }

    /// The cheapest reading of the whole sentence, unless there are too many to find it.
    pub fn best(&mut self) -> Option<DerivationId> {
        let end = u8::try_from(self.sentence.len()).expect("at most MAX_WORDS");
        let cell = self.cell(0, end);
        let cost = |id: &DerivationId| self.derivations[*id as usize].cost;
        let best =
            cell.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("a span can always be read as one clause");
        (self.steps <= MAX_STEPS).then_some(best)
    }

    /// What a reading costs beyond the templates it uses.
    pub fn oddness(&self, id: DerivationId) -> f32 {
        let mut odd = self.derivations[id as usize].cost;
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if let How::Template { template, operands } = self.derivations[id as usize].how {
                let template = &self.grammar.templates[usize::from(template)];
                odd -= template.cost;
                open.extend(&operands[..template.slots.len()]);
            }
        }
        odd.max(0.0)
    }

    fn push(&mut self, derivation: Derivation) -> DerivationId {
        self.derivations.push(derivation);
        u32::try_from(self.derivations.len() - 1).expect("steps are bounded")
    }

    fn index(&self, start: u8, end: u8) -> usize {
        usize::from(start) * (self.sentence.len() + 1) + usize::from(end)
    }

    /// The templates that can open at `start`, as a range of `openings`.
    fn openings(&mut self, start: u8) -> (u32, u32) {
        if let Some(known) = self.opened[usize::from(start)] {
            return known;
        }
        let first = self.openings.len() as u32;
        for (at, active) in self.active.iter().enumerate() {
            if active.places[0] & 1 << start == 0 {
                continue;
            }
            let Some((from, cost)) = self.opens(active.template, start) else { continue };
            if let Some(earliest_end) = active.earliest_end(self.grammar, 1, from) {
                let active = u16::try_from(at).expect("few templates");
                self.openings.push(Opening { active, earliest_end, from, cost });
            }
        }
        let range = (first, self.openings.len() as u32);
        self.opened[usize::from(start)] = Some(range);
        range
    }

    /// The cheapest reading of each class of the span.
    fn cell(&mut self, start: u8, end: u8) -> Range<DerivationId> {
        let at = self.index(start, end);
        if let Some((first, last)) = self.cells[at] {
            return first..last;
        }
        let clause = self.clause(start, end);
        let mut best = Best { cheapest: clause.cost, readings: vec![clause] };
        let (first, last) = self.openings(start);
        for at in first..last {
            let Opening { active, earliest_end, from, cost } = self.openings[at as usize];
            if earliest_end > end || self.steps > MAX_STEPS {
                continue;
            }
            let Active { id, template, ref places } = self.active[usize::from(active)];
            let last = template.slots.len();
            if let Some(phrase) = template.joints[last].phrase {
                let length = self.grammar.phrase_length(phrase);
                if places[last] & 1 << (end - length) == 0 {
                    continue;
                }
            }
            let partial = Partial { id, active, template, cost, operands: [0; MAX_SLOTS] };
            self.extend(&partial, 0, from, (start, end), &mut best);
        }
        let first = u32::try_from(self.derivations.len()).expect("steps are bounded");
        self.derivations.extend(best.readings);
        let last = u32::try_from(self.derivations.len()).expect("steps are bounded");
        self.cells[at] = Some((first, last));
        first..last
    }

    /// Where the first operand begins, after the template's first phrase.
    fn opens(&self, template: &Template, start: u8) -> Option<(u8, f32)> {
        let Some(phrase) = template.joints[0].phrase else { return Some((start, template.cost)) };
        let one = self.sentence.occurrences.iter().find(|one| one.phrase == phrase && one.start == start)?;
        // *Luego*, *también*: alone in the middle of a sentence they seldom lead in.
        let lone =
            template.leads_in && one.end - one.start == 1 && self.mark(start) != Mark::Strong && start > 0;
        let cost = template.cost + if lone { 0.5 } else { 0.0 };
        Some((one.end, cost + 0.3 * template.joints[0].after.cost(self.mark(one.end)).min(1.0)))
    }

    fn mark(&self, at: u8) -> Mark {
        self.sentence.words.get(usize::from(at)).map_or(Mark::None, |word| word.before)
    }

    /// Tries every end of the operand `slot` that begins at `from`.
    fn extend(&mut self, partial: &Partial, slot: usize, from: u8, span: (u8, u8), best: &mut Best) {
        self.steps += 1;
        if partial.cost >= best.bound(partial.template) || self.steps > MAX_STEPS {
            return;
        }
        let template = partial.template;
        let joint = template.joints[slot + 1];
        let is_last = slot + 1 == template.slots.len();
        let (sentence, grammar) = (self.sentence, self.grammar);
        let active = usize::from(partial.active);
        match joint.phrase {
            Some(phrase) => {
                let length = grammar.phrase_length(phrase);
                let mut starts = self.active[active].places[slot + 1] & (u128::MAX << from << 1);
                while starts != 0 {
                    let start = starts.trailing_zeros() as u8;
                    starts &= starts - 1;
                    let end = start + length;
                    if !self.leaves_room(active, slot + 2, end, span.1) {
                        return;
                    }
                    if is_last && end != span.1 {
                        continue;
                    }
                    let marks = joint.before.cost(self.mark(start))
                        + if is_last { 0.0 } else { 0.3 * joint.after.cost(self.mark(end)) };
                    self.place(partial, slot, (from, start), marks, end, span, best);
                }
            }
            None if is_last => self.place(partial, slot, (from, span.1), 0.0, span.1, span, best),
            None => {
                for &at in &sentence.places {
                    if at <= from {
                        continue;
                    }
                    if !self.leaves_room(active, slot + 2, at, span.1) {
                        return;
                    }
                    let Some(bare) = sentence.bare_start(usize::from(at)) else { continue };
                    let mark = self.mark(at);
                    let unmarked = joint.before == Asked::Comma && mark == Mark::None;
                    let marks = if unmarked { 1.0 } else { joint.before.cost(mark) } + bare;
                    self.place(partial, slot, (from, at), marks, at, span, best);
                }
            }
        }
    }

    /// Whether the joints from `joint` on have their phrases between `at` and `end`. If not, they have not after a later
    /// `at` either.
    fn leaves_room(&self, active: usize, joint: usize, at: u8, end: u8) -> bool {
        self.active[active].earliest_end(self.grammar, joint, at).is_some_and(|earliest| earliest <= end)
    }

    /// Reads an operand, and goes on with the next or ends.
    #[expect(clippy::too_many_arguments, reason = "the state of a search step")]
    fn place(
        &mut self,
        partial: &Partial,
        slot: usize,
        operand: (u8, u8),
        marks: f32,
        next: u8,
        span: (u8, u8),
        best: &mut Best,
    ) {
        if operand == span || partial.cost + marks >= best.bound(partial.template) {
            return;
        }
        let Some((id, cost)) = self.operand(&partial.template.slots[slot], operand) else { return };
        let mut partial = Partial { cost: partial.cost + marks + cost, ..*partial };
        partial.operands[slot] = id;
        if slot + 1 < partial.template.slots.len() {
            self.extend(&partial, slot + 1, next, span, best);
            return;
        }
        let bound = best.bound(partial.template);
        if partial.cost >= bound {
            return;
        }
        partial.cost += self.moods(&partial);
        if partial.cost >= bound {
            return;
        }
        partial.cost += self.ellipses(&partial);
        // What only leads in leaves its operand what it is.
        let class = match partial.template.leads_in {
            true => self.derivations[id as usize].class,
            false => partial.template.class,
        };
        if partial.template.repeats && !self.repeats(&partial) {
            return;
        }
        let (template, operands, cost) = (partial.id, partial.operands, partial.cost);
        let (start, end) = span;
        best.add(Derivation { start, end, class, cost, how: How::Template { template, operands } });
    }

    /// The cheapest reading of an operand for its slot.
    fn operand(&mut self, slot: &Slot, (start, end): (u8, u8)) -> Option<(DerivationId, f32)> {
        if slot.role != Role::Clause {
            return self.fragment(slot, start, end);
        }
        let cell = self.cell(start, end);
        let governed = self.governs(slot.mood, start, end);
        let mut best: Option<(DerivationId, f32)> = None;
        for id in cell {
            let one = &self.derivations[id as usize];
            let negated = matches!(one.how, How::Clause { negation: Some(_) });
            if slot.negated && !negated {
                continue;
            }
            let class = if slot.accepts.meets(one.class) { 0.0 } else { OTHER_CLASS };
            let cost = one.cost + class + governed;
            if best.is_none_or(|(_, known)| cost < known) {
                best = Some((id, cost));
            }
        }
        best
    }

    fn fragment(&mut self, slot: &Slot, start: u8, end: u8) -> Option<(DerivationId, f32)> {
        let (from, to) = (usize::from(start), usize::from(end));
        let sentence = self.sentence;
        let sure = sentence.sure[to] > sentence.sure[from];
        match slot.role {
            Role::Head => {
                let negation = sentence.negation(from, to);
                let unread = self.unread(from, to);
                if !sure || slot.negated && negation.is_none() || unread >= LEFT_UNREAD {
                    return None;
                }
                let how = How::Clause { negation };
                let id = self.push(Derivation { start, end, class: Classes::LITERAL, cost: 0.0, how });
                Some((id, unread))
            }
            Role::Echo if !(sentence.words[from].is(Kinds::NEUTER) && sure && to - from < 4) => None,
            Role::Echo => self.read_fragment(start, end),
            _ if sure || sentence.negation(from, to).is_some() => None,
            _ => {
                let at = self.index(start, end);
                if let Some(known) = self.fragments[at] {
                    return known;
                }
                let read = self.read_fragment(start, end);
                self.fragments[at] = Some(read);
                read
            }
        }
    }

    fn read_fragment(&mut self, start: u8, end: u8) -> Option<(DerivationId, f32)> {
        let (from, to) = (usize::from(start), usize::from(end));
        let unread = self.unread(from, to);
        if unread >= LEFT_UNREAD || self.dangles(to) {
            return None;
        }
        let id = self.push(Derivation { start, end, class: Classes::LITERAL, cost: 0.0, how: How::Fragment });
        Some((id, unread))
    }

    fn unread(&self, from: usize, to: usize) -> f32 {
        let mark = match self.sentence.words[from].before {
            Mark::None => 0.0,
            Mark::Comma => 0.6,
            Mark::Strong => 2.5,
        };
        self.sentence.unread[to] - self.sentence.unread[from] - mark
    }

    /// Whether the word before `to` wants another.
    fn dangles(&self, to: usize) -> bool {
        const LEADS_ON: Kinds = Kinds::ARTICLE
            .or(Kinds::ADNOMINAL)
            .or(Kinds::PREPOSITION)
            .or(Kinds::CONJUNCTION)
            .or(Kinds::CLITIC);
        let last = &self.sentence.words[to - 1];
        let stands = last.verb != Verb::No || last.letter || last.is(Kinds::COMPLETE);
        last.is(LEADS_ON) && !stands
    }

    /// The span as one clause.
    fn clause(&mut self, start: u8, end: u8) -> Derivation {
        let (from, to) = (usize::from(start), usize::from(end));
        let sentence = self.sentence;
        let words = &sentence.words;
        let sure = sentence.sure[to] - sentence.sure[from];
        let maybe = sentence.maybe[to] - sentence.maybe[from];
        let first = (from..to).find(|&at| !words[at].is(Kinds::NEGATION | Kinds::THAT)).unwrap_or(from);
        let infinitive = words[first].infinitive;
        let verbs = match (sure, maybe) {
            (0, 0) if infinitive => INFINITIVE,
            (0, 0) => VERBLESS,
            (0, _) => MAYBE,
            (sure, _) => SECOND_VERB * f32::from(sure - 1),
        };
        // *Ser rico es ser feliz* is no clause, nor what follows *o* in *o bien*.
        let equation = infinitive
            && (from + 1..to).any(|at| {
                words[at].is(Kinds::COPULA) && words.get(at + 1).is_some_and(|next| next.infinitive)
            });
        let cut = from > 0 && words[from].is(Kinds::EITHER) && words[from - 1].is(Kinds::CONJUNCTION);
        let verbs = verbs + if equation || cut { 1.0 } else { 0.0 };
        let cost = verbs + self.unread(from, to) + if self.dangles(to) { DANGLING } else { 0.0 };
        let verb = sentence.main_verb(from, to).unwrap_or(if infinitive { first } else { to });
        let negation = sentence.negation(from, verb);
        let mut class = Classes::LITERAL;
        if infinitive {
            class = Classes(class.0 | Classes::INFINITIVE.0);
        }
        if sure == 0 && !infinitive {
            class = Classes(class.0 | Classes::NOMINAL.0);
        }
        if negation.is_none() {
            class = Classes(class.0 | Classes::AFFIRMED.0);
            if infinitive {
                class = Classes(class.0 | Classes::AFFIRMATIVE.0);
            }
        }
        Derivation { start, end, class, cost, how: How::Clause { negation } }
    }

    /// What it costs that the span has another mood than the phrase before it governs.
    fn governs(&self, mood: Governed, start: u8, end: u8) -> f32 {
        let (from, to) = (usize::from(start), usize::from(end));
        if matches!(mood, Governed::Inherited | Governed::Indicative | Governed::Cuando) {
            return 0.0;
        }
        let words = &self.sentence.words;
        let verb = self.sentence.main_verb(from, to);
        let found = verb.map_or(Mood::Unknown, |at| words[at].subjunctive);
        match mood {
            Governed::Si if found == Mood::PresentSubjunctive => 0.8,
            Governed::Subjunctive | Governed::Past if found == Mood::Indicative => 0.5,
            Governed::Infinitive | Governed::Generic => {
                let first = (from..to).find(|&at| !words[at].is(Kinds::NEGATION)).unwrap_or(from);
                match verb {
                    _ if words[first].infinitive => -INFINITIVE,
                    None => 0.4 - VERBLESS,
                    Some(_) => 3.0,
                }
            }
            Governed::Nominal => match verb {
                None => 0.45 - VERBLESS,
                Some(at) if words[at].verb == Verb::Maybe => 0.6,
                Some(_) => 3.0,
            },
            Governed::Obligation(_) => {
                let obliged = verb.is_some_and(|at| {
                    words[at].is(Kinds::OBLIGING) && (at + 1..to.min(at + 3)).any(|at| words[at].infinitive)
                });
                // Another class, and preferred to a clause with a purpose.
                if obliged { -OTHER_CLASS - 0.6 } else { 3.0 }
            }
            _ => 0.0,
        }
    }

    /// What the template's fragments cost beside the clauses that they borrow from.
    fn ellipses(&self, partial: &Partial) -> f32 {
        let slots = &partial.template.slots;
        let span = |slot: usize| {
            let one = &self.derivations[partial.operands[slot] as usize];
            (one.start..one.end).collect::<Vec<u8>>()
        };
        let mut cost = 0.0;
        for (at, slot) in slots.iter().enumerate() {
            let is_clause = |slot: &Slot| matches!(slot.role, Role::Clause | Role::Head);
            cost += match slot.role {
                Role::Clause | Role::Head | Role::Echo => 0.0,
                Role::OfHead => 0.1,
                Role::Tail | Role::Subject => match slots[..at].iter().rposition(is_clause) {
                    Some(clause) => {
                        let clause = self.last_clause(partial.operands[clause]);
                        let filled = if slot.role == Role::Tail {
                            ellipsis::tail(self.sentence, &clause, &span(at))
                        } else {
                            ellipsis::subject(self.sentence, &clause, &span(at))
                        };
                        filled.cost
                    }
                    None => 3.0,
                },
                Role::Before => match slots[at..].iter().position(is_clause) {
                    Some(clause) => ellipsis::before(self.sentence, &span(at), &span(at + clause)).cost,
                    None => 3.0,
                },
            };
        }
        cost
    }

    /// The words of the last clause of a reading.
    fn last_clause(&self, id: DerivationId) -> Vec<u8> {
        let mut one = &self.derivations[id as usize];
        while let How::Template { template, operands } = one.how {
            let slots = self.grammar.templates[usize::from(template)].slots.len();
            let last = (0..slots).rev().map(|slot| &self.derivations[operands[slot] as usize]);
            match last.into_iter().find(|one| !matches!(one.how, How::Fragment)) {
                Some(last) => one = last,
                None => break,
            }
        }
        (one.start..one.end).collect()
    }

    /// Whether the operands that the template says twice say the same.
    fn repeats(&self, partial: &Partial) -> bool {
        let slots = &partial.template.slots;
        let content = |at: usize| {
            let one = &self.derivations[partial.operands[at] as usize];
            Content::new(self.sentence, &(one.start..one.end).collect::<Vec<u8>>())
        };
        (0..slots.len()).all(|at| {
            (0..at).all(|first| {
                let (one, other) = (content(first), content(at));
                slots[first].operand != slots[at].operand || one.same(&other) || other.same(&one)
            })
        })
    }

    /// Clauses that a plain *and* or *or* joins agree in mood.
    fn moods(&self, partial: &Partial) -> f32 {
        if !partial.template.coordinates {
            return 0.0;
        }
        let mut moods = partial.template.slots.iter().enumerate().filter_map(|(at, slot)| {
            let one = &self.derivations[partial.operands[at] as usize];
            let (from, to) = (usize::from(one.start), usize::from(one.end));
            let is_plain = slot.role == Role::Clause && slot.mood == Governed::Inherited;
            let verb = is_plain.then(|| self.sentence.main_verb(from, to)).flatten()?;
            Some(self.sentence.words[verb].subjunctive)
        });
        let Some(first) = moods.find(|mood| *mood != Mood::Unknown) else { return 0.0 };
        let other = |mood| mood != Mood::Unknown && (mood == Mood::Indicative) != (first == Mood::Indicative);
        if moods.any(other) { 0.7 } else { 0.0 }
    }
}

/// The readings of a span found so far, at most one of each class.
struct Best {
    readings: Vec<Derivation>,
    /// The least cost among them.
    cheapest: f32,
}

impl Best {
    /// What a reading by this template must cost less than to be worth keeping.
    fn bound(&self, template: &Template) -> f32 {
        // A reading that costs more is never chosen for its class.
        let any = self.cheapest + OTHER_CLASS;
        match self.readings.iter().find(|one| one.class == template.class) {
            Some(one) if !template.leads_in => one.cost.min(any),
            _ => any,
        }
    }

    fn add(&mut self, found: Derivation) {
        self.cheapest = self.cheapest.min(found.cost);
        match self.readings.iter_mut().find(|one| one.class == found.class) {
            Some(one) if one.cost <= found.cost => {}
            Some(one) => *one = found,
            None => self.readings.push(found),
        }
    }
}

/// A template with its first operands read.
#[derive(Clone, Copy)]
struct Partial {
    id: u16,
    /// Its number among the active templates.
    active: u16,
    template: &'static Template,
    cost: f32,
    operands: [DerivationId; MAX_SLOTS],
}
