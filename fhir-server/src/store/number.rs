//! Numbers as integers in the same order, so that databases compare them exactly and alike.

/// An integer that is to another as the number to the other's; -0 is 0, and what is no number is beyond infinity.
pub(crate) fn ordered(number: f64) -> i64 {
    // Adding 0 makes -0 positive.
    let bits = (number + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn integers_stand_in_the_order_of_their_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            f64::MIN,
            -70.5,
            -1e-300,
            0.0,
            f64::MIN_POSITIVE,
            0.1,
            0.1 + 0.2,
            1e9,
            f64::MAX,
            f64::INFINITY,
        ];
        assert!(numbers.windows(2).all(|two| ordered(two[0]) < ordered(two[1])));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
