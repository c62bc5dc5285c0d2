//! Decimals, two to an input, a line each: kept as written, ordered exactly and as their binary neighbours are.

#![no_main]

use fhir_model::Decimal;
use fhir_model::path::{Environment, Expression};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (a, b) = text.split_once('\n').unwrap_or((text, text));
    let (first, second) = (a.parse::<Decimal>(), b.parse::<Decimal>());
    for (value, written) in [(&first, a), (&second, b)] {
        let Ok(value) = value else { continue };
        assert_eq!(value.as_str(), written);
        assert!(value.compare(value).is_eq());
        assert!(!value.to_f64().is_nan());
        let _ = value.fraction_digits();
        let _ = value.to_rust_decimal();
    }
    if let (Ok(a), Ok(b)) = (&first, &second) {
        let order = a.compare(b);
        assert_eq!(order, b.compare(a).reverse());
        // Rounding to binary keeps the order, though it may make two numbers one.
        let binary = a.to_f64().total_cmp(&b.to_f64());
        let zeros = a.to_f64() == b.to_f64();
        assert!(zeros || order == binary, "{a} and {b}: {order:?}, but {binary:?}");
        if let (Some(x), Some(y)) = (a.to_rust_decimal(), b.to_rust_decimal()) {
            assert!(order == x.cmp(&y), "{a} and {b}: {order:?}, but {x} and {y}");
        }
    }
    // FHIRPath reads them by itself, and does sums with them.
    let environment = Environment::new();
    for source in [format!("{a} + {b} * {a} / {b}"), format!("({a}).round(3) <= ({b}).sqrt()"), format!("{a} 'mg' = {b} 'g'")] {
        if let Ok(expression) = Expression::compile(&source) {
            drop(expression.evaluate((), &environment));
        }
    }
});
