//! The natural logarithm as Go computes it, to the last bit, on any machine.
//!
//! Inputs: a number of domains. Outputs: its logarithm. Source: `math.Log` of Go 1.26, which follows FreeBSD's `e_log.c`
//! (Sun Microsystems, 1993, free to use); `log_amd64.s` does the same operations in the same order. The
//! library of the machine may differ in the last bit.

// The constants of the source, by their bits.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const L1: f64 = f64::from_bits(0x3fe5_5555_5555_5593);
const L2: f64 = f64::from_bits(0x3fd9_9999_9997_fa04);
const L3: f64 = f64::from_bits(0x3fd2_4924_9422_9359);
const L4: f64 = f64::from_bits(0x3fcc_71c5_1d8e_78af);
const L5: f64 = f64::from_bits(0x3fc7_4664_96cb_03de);
const L6: f64 = f64::from_bits(0x3fc3_9a09_d078_c69f);
const L7: f64 = f64::from_bits(0x3fc2_f112_df3e_5244);

/// The logarithm of a whole number above 0.
pub(super) fn logarithm(number: u32) -> f64 {
    // Halves the number until it is below 1 (`Frexp`), exactly.
    let mut exponent = 32 - number.leading_zeros().min(31);
    let mut fraction = f64::from(number) / (1_u64 << exponent) as f64;
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_agree_with_the_library_to_two_units_in_the_last_place() {
        for number in (2..5_000).chain([15_002, 100_000, 1 << 31, u32::MAX]) {
            let ours = logarithm(number);
            let library = f64::from(number).ln();
            assert!(
                (ours - library).abs() <= library * 4.5e-16,
                "{number}: {ours} {library}"
            );
        }
    }
}
