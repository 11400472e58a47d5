//! Percentiles by nearest rank, means and intervals, in integers where figures are summed.

/// The least of the values, which rise, that so many thousandths of them do not exceed.
#[must_use]
pub fn nearest_rank(rising: &[i64], permille: usize) -> Option<i64> {
    let rank = (rising.len() * permille).div_ceil(1_000);
    rising.get(rank.saturating_sub(1)).copied()
}

/// The mean, rounded to the nearest whole number, halves away from zero.
#[must_use]
pub fn rounded_mean(values: &[i64]) -> Option<i64> {
    let count = i128::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum: i128 = values.iter().copied().map(i128::from).sum();
    let doubled = sum * 2 + count * sum.signum();
    i64::try_from(doubled / (count * 2)).ok()
}

/// The quantile of Student's t that 97.5 of 100 draws do not exceed, by degrees of freedom from 1. Source: any table of
/// the distribution, such as NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
const T_QUANTILES: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The quantile of the normal distribution, which Student's t comes to.
const NORMAL_QUANTILE: f64 = 1.96;

/// The mean of some values and how far the mean of all may be from it with a confidence of 95%; `None` for fewer
/// than two values.
#[must_use]
pub fn t_interval(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len();
    let freedom = count.checked_sub(1).filter(|freedom| *freedom > 0)?;
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let error = (squares / freedom as f64 / count as f64).sqrt();
    let quantile = T_QUANTILES.get(freedom - 1).copied().unwrap_or(NORMAL_QUANTILE);
    Some((mean, quantile * error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_means() {
        let values: Vec<i64> = (1..=20).collect();
        let ranks = [500, 950, 990, 1_000].map(|permille| nearest_rank(&values, permille));
        assert_eq!(ranks, [Some(10), Some(19), Some(20), Some(20)]);
        assert_eq!((nearest_rank(&[], 500), rounded_mean(&[])), (None, None));
        for (values, mean) in [(&[1, 2][..], 2), (&[-1, -2], -2), (&[1, 1, 2], 1), (&[0], 0)] {
            assert_eq!(rounded_mean(values), Some(mean), "{values:?}");
        }
    }

    #[test]
    fn an_interval_is_that_of_students_t() {
        assert_eq!(t_interval(&[3.0]), None);
        let (mean, half) = t_interval(&[1.0, 2.0, 3.0]).expect("an interval");
        // Deviation 1, error 1 / sqrt 3, two degrees of freedom.
        assert!((mean - 2.0).abs() < 1e-12 && (half - 4.303 / 3.0_f64.sqrt()).abs() < 1e-9);
    }
}
