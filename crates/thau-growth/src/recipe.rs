//! A growth as text.

use serde::{Deserialize, Serialize};

use crate::{
    architecture::{Architecture, TensorSpec},
    axis::Axis,
    error::GrowthError,
    map::AffineMap,
    operator::{
        AddHeads, ExtendContext, ExtendVocabulary, Fold, GrowthOperator, InsertLayers, Preservation,
        StackLayers, TurnRope, WidenFeedForward, WidenHeads, WidenResidual,
    },
    plan::GrowthPlan,
};

/// A seed and steps, for any model that has the axes; written as TOML.
///
/// ```
/// use thau_growth::{Recipe, Step};
/// let recipe = Recipe::from_toml(r#"
/// seed = 7
/// [[steps]]
/// operator = "widen_residual"
/// to = 192
/// [[steps]]
/// operator = "insert_layers"
/// to = 6
/// "#)?;
/// assert_eq!(recipe.steps.len(), 2);
/// assert_eq!(Recipe::from_toml(&recipe.to_toml()?)?, recipe);
/// # Ok::<(), thau_growth::GrowthError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// For everything that is drawn at random.
    #[serde(default)]
    pub seed: u64,
    /// In the order they are taken.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A case for each operator, that holds it.
macro_rules! steps {
    ($($operator:ident),* $(,)?) => {
        /// One operator of this crate.
        #[derive(Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "operator", rename_all = "snake_case")]
        #[non_exhaustive]
        #[allow(missing_docs)] // Each is documented at the type it holds.
        pub enum Step {
            $($operator($operator),)*
        }

        impl Step {
            fn operator<A: Architecture>(&self) -> &dyn GrowthOperator<A> {
                match self {
                    $(Step::$operator(operator) => operator,)*
                }
            }
        }

        impl std::fmt::Debug for Step {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Step::$operator(operator) => operator.fmt(f),)*
                }
            }
        }
    };
}

steps! {
    WidenResidual,
    WidenFeedForward,
    AddHeads,
    WidenHeads,
    InsertLayers,
    ExtendVocabulary,
    ExtendContext,
    StackLayers,
    TurnRope,
}

impl<A: Architecture> GrowthOperator<A> for Step {
    fn preservation(&self, from: &A) -> Preservation {
        self.operator().preservation(from)
    }
    fn grow_config(&self, from: &A) -> Result<A, GrowthError> {
        self.operator().grow_config(from)
    }
    fn map(&self, from: &A, to: &A, tensor: &TensorSpec) -> Result<AffineMap, GrowthError> {
        self.operator().map(from, to, tensor)
    }
}

impl Recipe {
    /// The steps from one configuration to another that preserve the most; only axes that differ get one.
    ///
    /// # Errors
    /// [`GrowthError::Shrinks`], [`GrowthError::Heads`] and their like where an axis cannot get there;
    /// [`GrowthError::Unreachable`] where the configurations differ in something that no axis says.
    pub fn between<A: Architecture>(from: &A, to: &A, seed: u64) -> Result<Recipe, GrowthError> {
        let differs = |axis| from.size(axis) != to.size(axis);
        let size = |axis| to.size(axis);
        let steps = [
            (
                differs(Axis::Vocabulary),
                Step::ExtendVocabulary(ExtendVocabulary { to: size(Axis::Vocabulary) }),
            ),
            (differs(Axis::Context), Step::ExtendContext(ExtendContext { to: size(Axis::Context) })),
            (differs(Axis::QkDim), Step::WidenHeads(WidenHeads { to: size(Axis::QkDim) })),
            (
                differs(Axis::QueryHead) || differs(Axis::KvHead),
                Step::AddHeads(AddHeads { query: size(Axis::QueryHead), kv: size(Axis::KvHead) }),
            ),
            (
                differs(Axis::FeedForward),
                Step::WidenFeedForward(WidenFeedForward { to: size(Axis::FeedForward) }),
            ),
            (
                differs(Axis::Residual),
                Step::WidenResidual(WidenResidual { to: size(Axis::Residual), fold: Fold::Writers }),
            ),
            (differs(Axis::Layer), Step::InsertLayers(InsertLayers { to: size(Axis::Layer) })),
        ];
        let steps = steps.into_iter().filter_map(|(needed, step)| needed.then_some(step)).collect();
        let recipe = Recipe { seed, steps };
        let plan = recipe.plan(from)?;
        if plan.to() != to {
            let (reached, wanted) = (format!("{:?}", plan.to()), format!("{to:?}"));
            return Err(GrowthError::Unreachable { reached, wanted });
        }
        Ok(recipe)
    }

    /// The same recipe with this [`Fold`] wherever the residual stream is widened.
    pub fn with_fold(mut self, fold: Fold) -> Recipe {
        for step in &mut self.steps {
            if let Step::WidenResidual(widen) = step {
                widen.fold = fold;
            }
        }
        self
    }

    /// The recipe applied to a configuration.
    ///
    /// # Errors
    /// Where a step cannot be applied.
    pub fn plan<A: Architecture>(&self, from: &A) -> Result<GrowthPlan<A>, GrowthError> {
        let start = GrowthPlan::new(from.clone(), self.seed);
        self.steps.iter().cloned().try_fold(start, GrowthPlan::then)
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// [`GrowthError::Toml`] with the place and the reason.
    pub fn from_toml(text: &str) -> Result<Recipe, GrowthError> {
        toml::from_str(text).map_err(|error| GrowthError::Toml(Box::new(error)))
    }

    /// Writes a recipe.
    ///
    /// # Errors
    /// [`GrowthError::Unwritable`] for a number beyond TOML's integers (2⁶³).
    pub fn to_toml(&self) -> Result<String, GrowthError> {
        toml::to_string(self).map_err(|error| GrowthError::Unwritable(Box::new(error)))
    }
}
