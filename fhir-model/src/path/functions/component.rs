//! The parts of dates and times: `yearOf()`, `timeOf()` and so on
//! (<https://hl7.org/fhirpath/#extract-datedatetimetime-components>).

use rust_decimal::Decimal;

use super::{Function, one};
use crate::path::error::Error;
use crate::path::temporal::{Date, Time};
use crate::path::value::{Collection, System, Value};

/// The part that the function asks for; empty where the value does not have it.
pub(super) fn component<'a>(function: Function, input: &[Value<'a>]) -> Result<Collection<'a>, Error> {
    let Some(value) = one(input, || format!("the input of {}()", function.name()))? else {
        return Ok(Collection::new());
    };
    let date = matches!(
        function,
        Function::YearOf | Function::MonthOf | Function::DayOf | Function::DateOf
    );
    let (parts, clock) = match value.system() {
        Some(System::Date(at)) => (at.parts(), None),
        Some(System::DateTime(at)) => (at.parts(), Some(at.0)),
        Some(System::Time(at)) if !date => (at.parts(), Some(at.0)),
        None if crate::path::compare::is_bare(value) => return Ok(Collection::new()),
        _ => {
            let message = format!("{}() does not take {}", function.name(), value.describe());
            return Err(Error::execution(message));
        }
    };
    let integer = |part: Option<i8>| part.map(|p| Value::Integer(p.into())).into();
    Ok(match function {
        Function::YearOf => Value::Integer(parts.year.into()).into(),
        Function::MonthOf => integer(parts.month),
        Function::DayOf => integer(parts.day),
        Function::HourOf => integer(parts.hour),
        Function::MinuteOf => integer(parts.minute),
        Function::SecondOf => integer(parts.second),
        Function::MillisecondOf => parts.nanosecond.map(|n| Value::Integer(n / 1_000_000)).into(),
        Function::TimezoneOffsetOf => {
            let hours = |minutes: i32| Decimal::from(minutes).checked_div(Decimal::from(60));
            parts.offset.and_then(hours).map(Value::Decimal).into()
        }
        Function::DateOf => Value::Date(Date::of(parts)).into(),
        _ => clock
            .filter(|c| c.parts.hour.is_some())
            .map(|c| Value::Time(Time::of(c)))
            .into(),
    })
}
