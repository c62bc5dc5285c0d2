//! `sort([key, …])`: by the items themselves or by keys; a key with a minus sign sorts descending.

use std::cmp::Ordering;

use super::{descending, one};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::value::{Collection, Value};

/// The keys of one item, each with its direction.
type Keys<'a> = Vec<(Option<Value<'a>>, bool)>;

impl<'a> Evaluator<'a> {
    pub(super) fn sort(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let mut keyed: Vec<(Keys<'a>, Value<'a>)> = Vec::with_capacity(input.len());
        for (index, item) in input.into_iter().enumerate() {
            let mut keys = Keys::new();
            for arg in &call.args {
                let (expr, down) = descending(arg).map_or((arg, false), |operand| (operand, true));
                let key = self.on_item(expr, &item, index, scope)?;
                keys.push((one(&key, || "a key of sort()".into())?.cloned(), down));
            }
            if call.args.is_empty() {
                keys.push((Some(item.clone()), false));
            }
            keyed.push((keys, item));
        }
        let sorted = self.merge_sort(keyed)?;
        Ok(sorted.into_iter().map(|(_, item)| item).collect())
    }

    /// A stable sort of our own: the library's may panic where values have no total order, as partial dates.
    fn merge_sort(
        &mut self,
        mut items: Vec<(Keys<'a>, Value<'a>)>,
    ) -> Result<Vec<(Keys<'a>, Value<'a>)>, Error> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = items.split_off(items.len() / 2);
        let mut left = self.merge_sort(items)?.into_iter().peekable();
        let mut right = self.merge_sort(right)?.into_iter().peekable();
        let mut merged = Vec::with_capacity(left.len() + right.len());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let next = if self.key_order(&a.0, &b.0)?.is_le() {
                left.next()
            } else {
                right.next()
            };
            merged.extend(next);
        }
        merged.extend(left);
        merged.extend(right);
        Ok(merged)
    }

    /// An item without a key comes first in either direction (official test testSort10); keys whose order is open
    /// count as equal.
    fn key_order(&mut self, a: &Keys<'a>, b: &Keys<'a>) -> Result<Ordering, Error> {
        for ((a, down), (b, _)) in a.iter().zip(b) {
            let order = match (a, b) {
                (Some(a), Some(b)) => {
                    let order = self.order(a, b)?.unwrap_or(Ordering::Equal);
                    if *down { order.reverse() } else { order }
                }
                (a, b) => a.is_some().cmp(&b.is_some()),
            };
            if order.is_ne() {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }
}
