//! [`align`]: a result that was written anew takes back the order and the literals of what it came from.
//!
//! A patch of the XML form leaves JSON in the order of the definition, with none but the necessary escapes. Where a member or
//! an item is the same as before, it becomes what it was before, byte for byte.

use fhir_model::json::{Text, Tree};

/// The value of `after`, as `before` would have written it.
pub(super) fn align<'t>(before: &Tree<'t>, after: Tree<'t>) -> Tree<'t> {
    match (before, after) {
        (Tree::Object(old), Tree::Object(new)) => members(old, new),
        (Tree::Array(old), Tree::Array(new)) => items(old, new),
        (old, new) if old.same(&new) && digits(old, &new) => old.clone(),
        (_, new) => new,
    }
}

/// Numbers of the same value are not the same decimal: `1.5` is not `1.50`.
fn digits(old: &Tree<'_>, new: &Tree<'_>) -> bool {
    match (old, new) {
        (Tree::Word(a), Tree::Word(b)) => a == b,
        _ => true,
    }
}

/// Members that were there stay in their order; new ones follow.
fn members<'t>(old: &[(Text<'t>, Tree<'t>)], mut new: Vec<(Text<'t>, Tree<'t>)>) -> Tree<'t> {
    let mut aligned = Vec::with_capacity(new.len());
    for (name, value) in old {
        let text = name.value();
        if let Some(at) = new.iter().position(|(other, _)| other.is(&text)) {
            let (_, changed) = new.remove(at);
            aligned.push((name.clone(), align(value, changed)));
        }
    }
    aligned.append(&mut new);
    Tree::Object(aligned)
}

/// Items are aligned with the same ones from both ends; what lies between, one by one.
fn items<'t>(old: &[Tree<'t>], new: Vec<Tree<'t>>) -> Tree<'t> {
    let shorter = old.len().min(new.len());
    let front = old.iter().zip(&new).take_while(|(a, b)| a.same(b)).count();
    let back = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(shorter - front)
        .take_while(|(a, b)| a.same(b))
        .count();
    let length = new.len();
    let aligned = new.into_iter().enumerate().map(|(at, item)| {
        let partner = match at {
            at if at < length - back => old.get(at).filter(|_| at < old.len() - back),
            at => old.get(at + old.len() - length),
        };
        match partner {
            Some(partner) => align(partner, item),
            None => item,
        }
    });
    Tree::Array(aligned.collect())
}
