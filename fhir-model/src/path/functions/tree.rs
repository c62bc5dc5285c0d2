//! `children` and `descendants` (<https://hl7.org/fhirpath/N1/#tree-navigation>).

use super::Function;
use crate::path::error::Error;
use crate::path::eval::Evaluator;
use crate::path::value::Collection;

impl<'a> Evaluator<'a> {
    /// The children of each item, or all that lies below, each element before the elements in it. Elements with
    /// equal content are different elements, so nothing is left out.
    pub(super) fn tree(
        &mut self,
        function: Function,
        input: Collection<'a>,
    ) -> Result<Collection<'a>, Error> {
        let mut found = Collection::new();
        if function == Function::Children {
            for item in &input {
                self.children_of(item, &mut found)?;
            }
            return Ok(found);
        }
        let mut open = input.into_vec();
        open.reverse();
        let roots = open.len();
        let mut left_of_roots = roots;
        while let Some(item) = open.pop() {
            // The items of the input lie at the bottom of the stack and are not their own descendants.
            if open.len() < left_of_roots {
                left_of_roots = open.len();
            } else {
                self.push(&mut found, item.clone())?;
            }
            let mut children = Collection::new();
            self.children_of(&item, &mut children)?;
            let mut children = children.into_vec();
            children.reverse();
            open.append(&mut children);
        }
        Ok(found)
    }
}
