//! Questions in the words of any language model behind an OpenAI-compatible server.

use std::collections::BTreeMap;

use data_pipeline::format::Pointing;
use data_pipeline::verify::{CallError, Client, Price};
use data_pipeline::{Origin, Row};
use logic_parser::Formula;
use logic_parser::score::{Glossed, compare};
use serde::Deserialize;
use serde_json::json;

use super::{FormulaFirst, Proposer};
use crate::GapMap;

const INSTRUCTION: &str = "Eres un profesor de lógica proposicional. Recibes una fórmula y escribes oraciones naturales y variadas \
    en español que dicen exactamente eso: «o» es inclusiva salvo que se diga «pero no ambos». Cada átomo es una frase afirmativa \
    corta que aparece palabra por palabra en la oración. Responde solo con JSON: {\"oraciones\": [{\"oración\": \"…\", \
    \"átomos\": {\"p\": \"…\"}}]}.";

/// The most tokens of a reply, for each sentence.
const TOKENS_A_SENTENCE: usize = 160;

/// Has a server say formulas of the weak kind: the formula still comes first, the words are the server's.
///
/// It vouches for what a sentence says, so that rows are of origin [`Origin::IndependentModel`]. A sentence whose atoms cannot be
/// found in it, or of which some are missing or the same, is dropped. What is asked for has a greatest price.
///
/// ```no_run
/// use data_pipeline::verify::{Client, Endpoint, Price};
/// use self_learning::{FormulaFirst, ServerProposer};
///
/// let client = Client::to(Endpoint::new("http://127.0.0.1:8080/v1", "my-model"));
/// let formulas = FormulaFirst::about_the_weakest([]);
/// let mut proposer = ServerProposer::new(client, formulas, Price { input: 0.27, output: 1.10 }, 0.50);
/// ```
#[derive(Debug)]
pub struct ServerProposer {
    client: Client,
    formulas: FormulaFirst,
    price: Price,
    cap_usd: f64,
    spent_usd: f64,
}

#[derive(Deserialize)]
struct Said {
    oraciones: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    #[serde(rename = "oración")]
    input: String,
    #[serde(rename = "átomos")]
    atoms: BTreeMap<String, String>,
}

impl ServerProposer {
    /// Has the server say the formulas that `formulas` draws, until it has cost so many USD.
    pub fn new(client: Client, formulas: FormulaFirst, price: Price, cap_usd: f64) -> ServerProposer {
        ServerProposer { client, formulas, price, cap_usd, spent_usd: 0.0 }
    }

    /// What the calls so far have cost, in USD; a call that does not say its tokens counts as the dearest it can have been.
    pub fn spent_usd(&self) -> f64 {
        self.spent_usd
    }

    /// Up to `count` sentences of the formula; none once the money is spent.
    fn say(&mut self, drawn: &Row, count: usize, seed: u64) -> Result<Vec<Row>, CallError> {
        let asked = json!({ "fórmula": drawn.pattern, "cuántas": count, "tema": drawn.block });
        let max_tokens = count.saturating_mul(TOKENS_A_SENTENCE);
        let body = json!({
            "model": self.client.model(),
            "temperature": 1.0,
            "seed": seed as u32,
            "max_tokens": max_tokens,
            "messages": [
                { "role": "system", "content": INSTRUCTION },
                { "role": "user", "content": asked.to_string() },
            ],
            "response_format": { "type": "json_object" },
        })
        .to_string();
        // No text has more tokens than bytes.
        let dearest = data_pipeline::verify::Usage { input: body.len() as u64, output: max_tokens as u64 };
        if self.spent_usd + self.price.of(dearest) > self.cap_usd {
            return Ok(Vec::new());
        }
        let reply = self.client.ask(&body)?;
        self.spent_usd += self.price.of(reply.usage.unwrap_or(dearest));
        let object = reply.text.find('{').zip(reply.text.rfind('}')).filter(|(from, to)| from < to);
        let said = object.and_then(|(from, to)| serde_json::from_str::<Said>(&reply.text[from..=to]).ok());
        let sentences = said.map_or_else(Vec::new, |said| said.oraciones);
        Ok(sentences.into_iter().filter_map(|sentence| row(drawn, sentence)).take(count).collect())
    }
}

/// The row of a sentence, if its atoms are those of the formula and can be found in it.
fn row(drawn: &Row, Sentence { input, atoms }: Sentence) -> Option<Row> {
    let formula = Formula::parse(&drawn.pattern).ok()?;
    let row = Row {
        input: input.trim().to_owned(),
        formula: drawn.pattern.clone(),
        pattern: drawn.pattern.clone(),
        complexity: drawn.complexity,
        block: drawn.block.clone(),
        language: drawn.language.clone(),
        atoms,
        origin: Origin::IndependentModel,
        ..Row::default()
    };
    let mut texts: Vec<String> = row.atoms.values().map(|text| text.to_lowercase()).collect();
    texts.sort();
    let different = texts.windows(2).all(|pair| pair[0] != pair[1]);
    let names = formula.atoms();
    let named = names.len() == row.atoms.len() && names.iter().all(|&name| row.atoms.contains_key(name));
    // What a learner would be taught to write must read back as this formula.
    let answer = Pointing::answer(&row).ok()?;
    let read = Pointing::read(&row.input, &answer).ok()?;
    let (label, read) = (
        Glossed { formula: &formula, atoms: &row.atoms },
        Glossed { formula: &read.formula, atoms: &read.atoms },
    );
    (different && named && compare(&label, &read).equivalent).then_some(row)
}

impl Proposer for ServerProposer {
    type Error = CallError;

    fn propose(&mut self, gaps: &GapMap, count: usize, seed: u64) -> Result<Vec<Row>, CallError> {
        let Ok(drawn) = self.formulas.propose(gaps, count, seed);
        let mut questions = Vec::new();
        for (n, drawn) in (0..).zip(&drawn) {
            questions.extend(self.say(drawn, 1, seed.wrapping_add(n))?);
        }
        Ok(questions)
    }

    /// The question itself, then its formula in the server's words.
    fn examples(&mut self, question: &Row, count: usize, seed: u64) -> Result<Vec<Row>, CallError> {
        let anew = match count {
            0 | 1 => Vec::new(),
            _ => self.say(question, count - 1, seed)?,
        };
        Ok(std::iter::once(question.clone()).chain(anew).take(count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_pipeline::verify::Endpoint;
    use serde_json::Value;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    /// A server on loopback that answers a request by its body.
    fn server(answer: fn(&Value) -> String) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while lines.read_line(&mut head).unwrap() > 2 {}
                let head = head.to_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                let mut body = vec![0; length.parse().unwrap()];
                lines.read_exact(&mut body).unwrap();
                let content = answer(&serde_json::from_slice(&body).unwrap());
                let text = json!({ "choices": [{ "message": { "content": content } }],
                    "usage": { "prompt_tokens": 100, "completion_tokens": 50 } })
                .to_string();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
                let _ = stream.write_all((head + &text).as_bytes());
            }
        });
        Client::to(Endpoint {
            attempts: 1,
            timeout: Duration::from_secs(20),
            ..Endpoint::new(&address, "test")
        })
    }

    fn drawn() -> Row {
        Row {
            pattern: "p → q".into(), formula: "p → q".into(), block: "cotidiano".into(), ..Row::default()
        }
    }

    fn proposer(client: Client, cap_usd: f64) -> ServerProposer {
        let price = Price { input: 1.0, output: 1.0 };
        ServerProposer::new(client, FormulaFirst::about_anything([]), price, cap_usd)
    }

    #[test]
    fn sentences_come_with_their_formula_and_broken_ones_do_not() {
        let client = server(|request| {
            let asked: Value =
                serde_json::from_str(request["messages"][1]["content"].as_str().unwrap()).unwrap();
            assert_eq!((&asked["fórmula"], &asked["cuántas"]), (&json!("p → q"), &json!(5)));
            "Claro:\n".to_owned()
                + &json!({ "oraciones": [
                    { "oración": "Si llueve, la calle se moja.", "átomos": { "p": "llueve", "q": "la calle se moja" } },
                    { "oración": "Si truena, el perro ladra.", "átomos": { "p": "truena", "q": "el gato duerme" } },
                    { "oración": "Si nieva, hace frío.", "átomos": { "p": "nieva" } },
                    { "oración": "Si nieva, nieva.", "átomos": { "p": "nieva", "q": "nieva" } },
                    { "oración": "Cuando nieva, hace frío.", "átomos": { "p": "nieva", "q": "hace frío" } },
                ] })
                .to_string()
        });
        let mut proposer = proposer(client, 1.0);
        let rows = proposer.say(&drawn(), 5, 1).unwrap();
        let inputs: Vec<&str> = rows.iter().map(|row| row.input.as_str()).collect();
        assert_eq!(inputs, ["Si llueve, la calle se moja.", "Cuando nieva, hace frío."]);
        assert!(rows.iter().all(|row| row.origin == Origin::IndependentModel && row.pattern == "p → q"));
        assert!((proposer.spent_usd() - 150e-6).abs() < 1e-12);
    }

    #[test]
    fn the_money_is_never_exceeded_and_nonsense_is_no_question() {
        let mut proposer = proposer(server(|_| "No sé.".to_owned()), 0.01);
        let questions = proposer.propose(&GapMap::default(), 200, 1).unwrap();
        assert!(questions.is_empty());
        assert!(proposer.spent_usd() > 0.005 && proposer.spent_usd() <= 0.01, "{}", proposer.spent_usd());
    }

    #[test]
    fn a_server_that_is_not_there_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::to(Endpoint { attempts: 1, ..Endpoint::new(&address, "test") });
        assert!(matches!(proposer(client, 1.0).examples(&drawn(), 3, 1), Err(CallError::Broken { .. })));
    }
}
