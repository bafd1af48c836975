//! Which tools there are, which may run, and running them.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Call;

/// The age from which tools are called, from the guides.
pub const FROM_AGE: u8 = 15;

/// Tools that run at once, those that outlast their time included.
const AT_ONCE: usize = 16;

/// Bytes of an answer.
const MAX_ANSWER: usize = 256 << 10;

/// What a tool that failed says.
pub type ToolError = Box<dyn Error + Send + Sync>;

/// Something that a model may call.
///
/// ```
/// use std::time::{Duration, Instant};
/// use self_learning::tools::{Tool, ToolError, ToolRegistry, pieces, Piece};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Word {
///     /// The word.
///     word: String,
/// }
///
/// struct Letters;
///
/// impl Tool for Letters {
///     type Arguments = Word;
///     const NAME: &'static str = "letters";
///     const DESCRIPTION: &'static str = "Counts the letters of a word.";
///     fn run(&self, arguments: Word, _until: Instant) -> Result<serde_json::Value, ToolError> {
///         Ok(arguments.word.chars().count().into())
///     }
/// }
///
/// let mut tools = ToolRegistry::for_age(15, Duration::from_secs(1))?;
/// tools.offer(Letters);
/// tools.allow("letters")?;
/// let [Piece::Call(call)] = &pieces(r#"<TOOL:letters>{"word": "niño"}</TOOL>"#)[..] else { panic!() };
/// assert_eq!(tools.run(call)?, 4);
/// assert_eq!(tools.schemas()[0]["function"]["parameters"]["required"][0], "word");
/// # Ok::<(), self_learning::tools::Refusal>(())
/// ```
pub trait Tool: Send + Sync + 'static {
    /// Its arguments: their type is their schema, and unknown ones should be denied.
    type Arguments: DeserializeOwned + JsonSchema;
    /// Its name in calls.
    const NAME: &'static str;
    /// What it does, for the model.
    const DESCRIPTION: &'static str;

    /// Does it, and ends by `until`: nobody waits longer.
    ///
    /// # Errors
    /// When it cannot be done; the model is told what the error says.
    fn run(&self, arguments: Self::Arguments, until: Instant) -> Result<Value, ToolError>;
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The learner is too young.
    #[error("tools are called from age {FROM_AGE}, not at {age}")]
    TooYoung {
        /// Its age.
        age: u8,
    },
    /// There is no such tool.
    #[error("there is no tool {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The tool is not on the list of those that may run.
    #[error("the tool {name} is not allowed")]
    NotAllowed {
        /// The name.
        name: String,
    },
    /// The arguments are not of the tool's type.
    #[error("the arguments are not the tool's: {0}")]
    Arguments(#[source] serde_json::Error),
    /// It did not end in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// Too many calls are still running.
    #[error("too many calls are running")]
    Busy,
    /// It panicked.
    #[error("the tool broke down")]
    BrokeDown,
    /// It failed.
    #[error("the tool failed: {0}")]
    Failed(#[source] ToolError),
    /// Its answer is too long.
    #[error("an answer of {bytes} bytes is too long")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// A tool without its types.
trait AnyTool: Send + Sync {
    fn check(&self, arguments: &Map<String, Value>) -> serde_json::Result<()>;
    fn run_any(&self, arguments: Map<String, Value>, until: Instant) -> Result<Value, Refusal>;
}

impl<T: Tool> AnyTool for T {
    fn check(&self, arguments: &Map<String, Value>) -> serde_json::Result<()> {
        serde_json::from_value::<T::Arguments>(arguments.clone().into()).map(drop)
    }

    fn run_any(&self, arguments: Map<String, Value>, until: Instant) -> Result<Value, Refusal> {
        let arguments = serde_json::from_value(arguments.into()).map_err(Refusal::Arguments)?;
        self.run(arguments, until).map_err(Refusal::Failed)
    }
}

struct Offered {
    tool: Arc<dyn AnyTool>,
    /// In OpenAI's form.
    schema: Value,
    allowed: bool,
}

/// The tools that there are, and which of them may run.
pub struct ToolRegistry {
    tools: BTreeMap<&'static str, Offered>,
    time_out: Duration,
    running: Arc<AtomicUsize>,
}

impl ToolRegistry {
    /// A registry without tools, whose calls end after `time_out`.
    ///
    /// # Errors
    /// [`Refusal::TooYoung`] before [`FROM_AGE`].
    pub fn for_age(age: u8, time_out: Duration) -> Result<ToolRegistry, Refusal> {
        if age < FROM_AGE {
            return Err(Refusal::TooYoung { age });
        }
        Ok(ToolRegistry { tools: BTreeMap::new(), time_out, running: Arc::default() })
    }

    /// Adds a tool, in place of one of the same name. It does not run before it is [allowed](ToolRegistry::allow).
    pub fn offer<T: Tool>(&mut self, tool: T) {
        let parameters = schemars::SchemaGenerator::default().into_root_schema_for::<T::Arguments>();
        let function =
            json!({ "name": T::NAME, "description": T::DESCRIPTION, "parameters": parameters.to_value() });
        let schema = json!({ "type": "function", "function": function });
        self.tools.insert(T::NAME, Offered { tool: Arc::new(tool), schema, allowed: false });
    }

    /// Lets a tool run from now on.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] when it was not offered.
    pub fn allow(&mut self, name: &str) -> Result<(), Refusal> {
        let unknown = || Refusal::Unknown { name: name.to_owned() };
        self.tools.get_mut(name).ok_or_else(unknown)?.allowed = true;
        Ok(())
    }

    /// The tools that may run, as the `tools` of a request in OpenAI's form.
    pub fn schemas(&self) -> Value {
        self.tools.values().filter(|offered| offered.allowed).map(|offered| offered.schema.clone()).collect()
    }

    /// Whether a call would run, without running it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::NotAllowed`], [`Refusal::Arguments`].
    pub fn dry_run(&self, call: &Call) -> Result<(), Refusal> {
        self.checked(call).map(drop)
    }

    fn checked(&self, call: &Call) -> Result<&Offered, Refusal> {
        let name = || call.name.clone();
        let offered = self.tools.get(call.name.as_str()).ok_or_else(|| Refusal::Unknown { name: name() })?;
        if !offered.allowed {
            return Err(Refusal::NotAllowed { name: name() });
        }
        offered.tool.check(&call.arguments).map_err(Refusal::Arguments)?;
        Ok(offered)
    }

    /// Runs a call and waits for its answer, but no longer than its time.
    ///
    /// A thread cannot be ended from outside. A tool that outlasts its time goes on unheard, and counts among those that run at
    /// once; when 16 do, calls are refused.
    ///
    /// # Errors
    /// Every [`Refusal`] but [`Refusal::TooYoung`].
    pub fn run(&self, call: &Call) -> Result<Value, Refusal> {
        let tool = Arc::clone(&self.checked(call)?.tool);
        let place = Place::take(&self.running).ok_or(Refusal::Busy)?;
        let arguments = call.arguments.clone();
        let (sender, answer) = sync_channel(1);
        let until = Instant::now() + self.time_out;
        let thread = thread::Builder::new().name(format!("tool {}", call.name));
        let work = move || {
            let result = tool.run_any(arguments, until);
            drop(place);
            // Nobody listens when its time is over.
            let _ = sender.send(result);
        };
        thread.spawn(work).map_err(|_| Refusal::Busy)?;
        let result = match answer.recv_timeout(self.time_out) {
            Ok(result) => result?,
            Err(RecvTimeoutError::Timeout) => return Err(Refusal::TimedOut(self.time_out)),
            Err(RecvTimeoutError::Disconnected) => return Err(Refusal::BrokeDown),
        };
        match result.to_string().len() {
            bytes if bytes > MAX_ANSWER => Err(Refusal::TooLong { bytes }),
            _ => Ok(result),
        }
    }
}

/// One of the places for tools that run at once, given back when dropped, by a panic too.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(running: &Arc<AtomicUsize>) -> Option<Place> {
        let one_more = |n| (n < AT_ONCE).then_some(n + 1);
        running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        Some(Place(Arc::clone(running)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    enum Deed {
        Answer,
        Fail,
        Panic,
        Sleep { ms: u64 },
        Boast,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Deeds {
        deed: Deed,
    }

    /// Does as it is told.
    struct Servant;

    impl Tool for Servant {
        type Arguments = Deeds;
        const NAME: &'static str = "servant";
        const DESCRIPTION: &'static str = "Does as it is told.";

        fn run(&self, Deeds { deed }: Deeds, _until: Instant) -> Result<Value, ToolError> {
            match deed {
                Deed::Answer => Ok("done".into()),
                Deed::Fail => Err("no wish to".into()),
                Deed::Panic => panic!("told to"),
                Deed::Sleep { ms } => {
                    thread::sleep(Duration::from_millis(ms));
                    Ok(Value::Null)
                }
                Deed::Boast => Ok("a".repeat(MAX_ANSWER).into()),
            }
        }
    }

    fn registry() -> ToolRegistry {
        let mut tools = ToolRegistry::for_age(FROM_AGE, Duration::from_millis(300)).unwrap();
        tools.offer(Servant);
        tools.allow("servant").unwrap();
        tools
    }

    fn call(deed: Value) -> Call {
        let Value::Object(arguments) = json!({ "deed": deed }) else { panic!("an object") };
        Call { name: "servant".to_owned(), arguments, id: None }
    }

    #[test]
    fn only_grown_ups_call_tools() {
        for age in [0, 6, 14] {
            assert!(matches!(ToolRegistry::for_age(age, Duration::ZERO), Err(Refusal::TooYoung { .. })));
        }
        assert!(ToolRegistry::for_age(15, Duration::ZERO).is_ok());
    }

    #[test]
    fn what_is_not_on_the_list_does_not_run() {
        let mut tools = ToolRegistry::for_age(15, Duration::from_secs(9)).unwrap();
        let servant = call(json!("answer"));
        assert!(matches!(tools.run(&servant), Err(Refusal::Unknown { .. })));
        tools.offer(Servant);
        assert!(matches!(tools.run(&servant), Err(Refusal::NotAllowed { .. })));
        assert_eq!(tools.schemas(), json!([]));
        assert!(matches!(tools.allow("serpent"), Err(Refusal::Unknown { .. })));
        tools.allow("servant").unwrap();
        assert_eq!(tools.run(&servant).unwrap(), "done");
        assert_eq!(tools.schemas()[0]["function"]["parameters"]["additionalProperties"], false);
    }

    #[test]
    fn a_dry_run_checks_and_does_nothing() {
        let tools = registry();
        assert!(tools.dry_run(&call(json!("panic"))).is_ok());
        assert!(matches!(tools.dry_run(&call(json!("dance"))), Err(Refusal::Arguments(_))));
        let mut more = call(json!("answer"));
        more.arguments.insert("and".to_owned(), json!("more"));
        assert!(matches!(tools.run(&more), Err(Refusal::Arguments(_))));
    }

    #[test]
    fn failing_panicking_boasting_and_dawdling_are_told_apart() {
        let tools = registry();
        assert!(matches!(tools.run(&call(json!("fail"))), Err(Refusal::Failed(_))));
        assert!(matches!(tools.run(&call(json!("panic"))), Err(Refusal::BrokeDown)));
        assert!(matches!(tools.run(&call(json!("boast"))), Err(Refusal::TooLong { .. })));
        let start = Instant::now();
        assert!(matches!(tools.run(&call(json!({ "sleep": { "ms": 5000 } }))), Err(Refusal::TimedOut(_))));
        assert!(start.elapsed() < Duration::from_secs(4));
        assert_eq!(tools.run(&call(json!("answer"))).unwrap(), "done");
    }

    #[test]
    fn tools_that_never_end_do_not_pile_up() {
        let tools = ToolRegistry { time_out: Duration::from_millis(1), ..registry() };
        for _ in 0..AT_ONCE {
            assert!(matches!(
                tools.run(&call(json!({ "sleep": { "ms": 3000 } }))),
                Err(Refusal::TimedOut(_))
            ));
        }
        assert!(matches!(tools.run(&call(json!("answer"))), Err(Refusal::Busy)));
        while tools.running.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(50));
        }
        let tools = ToolRegistry { time_out: Duration::from_secs(9), ..tools };
        assert_eq!(tools.run(&call(json!("answer"))).unwrap(), "done");
    }
}
