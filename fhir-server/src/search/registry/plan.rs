//! [`Plan`]: what has to be evaluated for the index rows of a resource of one type.
//!
//! Each expression is evaluated once, however many parameters read it: `Patient.name` is behind both `name` and `phonetic`, a composite's
//! `Observation` behind seven.

use std::collections::HashMap;
use std::sync::Arc;

use fhir_model::definitions::SearchParamType;
use fhir_model::path::{self, Expression};

use super::{Leaf, Parameter};
use crate::store::{ParameterNumber, ResourceType};

/// The expressions of a type's parameters.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Each once.
    pub(crate) sources: Vec<Source>,
}

/// An expression and the parameters that its results are values of.
#[derive(Debug)]
pub(crate) struct Source {
    /// A branch of a parameter's expression.
    pub(crate) expression: Expression,
    /// The system that its codes imply.
    pub(crate) system: Option<&'static str>,
    /// Those parameters.
    pub(crate) uses: Vec<Use>,
}

/// What the results of an expression are for.
#[derive(Debug)]
pub(crate) struct Use {
    /// The parameter.
    pub(crate) parameter: Arc<Parameter>,
    /// The parts of a composite, evaluated on each result.
    pub(crate) parts: Vec<Part>,
    /// The references that count are those to resources of this type: what `where(resolve() is Patient)` says.
    pub(crate) referring_to: Option<ResourceType>,
    /// The values are the canonical URLs of the resource itself, which has a version.
    pub(crate) names: bool,
}

/// A part of a composite, compiled.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its number.
    pub(crate) number: ParameterNumber,
    /// How its values compare.
    pub(crate) kind: SearchParamType,
    /// The branches of its expression.
    pub(crate) branches: Vec<Branch>,
}

/// A branch of a part's expression.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Evaluated on each result of the composite.
    pub(crate) expression: Expression,
    /// The system that its codes imply.
    pub(crate) system: Option<&'static str>,
}

impl Plan {
    /// Compiles what the parameters need of a resource of that type.
    ///
    /// # Errors
    /// An expression that is not of the language, with the parameter's url.
    pub(super) fn of<'p>(
        parameters: impl Iterator<Item = &'p Arc<Parameter>>,
        resource_type: ResourceType,
        url: Option<ParameterNumber>,
    ) -> Result<Plan, String> {
        let mut plan = Plan::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        for parameter in parameters.filter(|p| p.is_indexed()) {
            let faulty = |error: path::Error| format!("the expression of {}: {error}", parameter.url);
            let source = parameter.expression.as_deref().unwrap_or_default();
            for branch in branches(source).map_err(faulty)? {
                if !is_for(&branch, resource_type) {
                    continue;
                }
                let (branch, referring_to) = without_resolve(branch);
                let used = Use {
                    parameter: parameter.clone(),
                    parts: parts(parameter, branch.source()).map_err(faulty)?,
                    referring_to,
                    names: url == Some(parameter.number),
                };
                let next = plan.sources.len();
                let place = *places.entry(branch.source().to_owned()).or_insert(next);
                match plan.sources.get_mut(place) {
                    Some(source) => source.uses.push(used),
                    None => plan.sources.push(Source {
                        system: Leaf::of(branch.source()).and_then(|leaf| leaf.system()),
                        expression: branch,
                        uses: vec![used],
                    }),
                }
            }
        }
        Ok(plan)
    }
}

/// The parts of a composite whose own expression is `whole`.
fn parts(parameter: &Parameter, whole: &str) -> Result<Vec<Part>, path::Error> {
    let context = Leaf::of(whole).and_then(|leaf| leaf.complex());
    let context = context.or_else(|| fhir_model::type_info(whole));
    let branch = |expression: Expression| Branch {
        system: context
            .and_then(|context| Leaf::below(context, expression.source()))
            .and_then(|leaf| leaf.system()),
        expression,
    };
    let part = |part: &super::Part| {
        Ok(Part {
            number: part.parameter,
            kind: part.kind,
            branches: branches(&part.expression)?.into_iter().map(branch).collect(),
        })
    };
    parameter.components.iter().map(part).collect()
}

/// The operands of the union that an expression may be. Rows are sorted and none is twice, so the union need not look for what is equal.
pub(super) fn branches(source: &str) -> Result<Vec<Expression>, path::Error> {
    Ok(Expression::compile(&of_fhir(source))?.branches())
}

/// Whether the branch can find anything in resources of that type.
pub(super) fn is_for(branch: &Expression, resource_type: ResourceType) -> bool {
    match branch.root_type().and_then(ResourceType::from_name) {
        Some(root) => root == resource_type,
        None => true,
    }
}

/// The references before a `where(resolve() is Type)` at the end, and that type. Whether a reference is to such a resource is decided here
/// rather than by FHIRPath, for which logical references, which cannot be resolved, would be to nothing.
fn without_resolve(branch: Expression) -> (Expression, Option<ResourceType>) {
    let split = || {
        let (path, name) = branch
            .source()
            .strip_suffix(')')?
            .rsplit_once(".where(resolve() is ")?;
        Some((
            Expression::compile(path).ok()?,
            ResourceType::from_name(name.trim())?,
        ))
    };
    match split() {
        Some((path, resource_type)) => (path, Some(resource_type)),
        None => (branch, None),
    }
}

/// R4 writes `value.as(DateTime)` in `code-value-date`, a type of FHIRPath that no element has; it means `dateTime`.
fn of_fhir(source: &str) -> String {
    const SLIPS: [(&str, &str); 4] = [
        (".as(DateTime)", ".as(dateTime)"),
        (".as(Date)", ".as(date)"),
        (".as(String)", ".as(string)"),
        (".as(Boolean)", ".as(boolean)"),
    ];
    SLIPS
        .iter()
        .fold(source.to_owned(), |text, (slip, meant)| text.replace(slip, meant))
}
