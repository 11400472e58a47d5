//! Random choices that are the same on every machine: whole numbers from a seeded stream for each purpose.
//!
//! Inputs: a seed. Invariants: one purpose never disturbs another; weights are whole numbers, and what makes them of
//! fractions uses only arithmetic that IEEE 754 defines to the last bit (a square root is, a power is not).

use rand::Rng as _;
use rand_pcg::Pcg64;

/// What is drawn; each has a stream of random numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Regions of nodes.
    Places = 101,
    /// Shapes of nodes.
    Shapes = 102,
    /// Where copies of data sets are.
    Copies = 103,
    /// What data a workload carries.
    Data = 104,
    /// Which data sets it uses, and how often.
    Access = 105,
    /// Where its clients are.
    Clients = 106,
}

/// A stream of choices.
pub(super) struct Draw(Pcg64);

impl Draw {
    /// The stream of a purpose.
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        Self(Pcg64::new(u128::from(seed), purpose as u128))
    }

    /// One of the numbers below this, each as likely as the others; 0 where there is none.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // The last, incomplete round of numbers would favour the small ones.
        let complete = u64::MAX - u64::MAX % end;
        loop {
            let number = self.0.next_u64();
            if number < complete {
                return number % end;
            }
        }
    }

    /// One of the numbers from the first to the last.
    pub(super) fn between(&mut self, first: u32, last: u32) -> u32 {
        let more = self.below(u64::from(last.saturating_sub(first)) + 1);
        first.saturating_add(u32::try_from(more).unwrap_or(0))
    }

    /// The position of one of these by its weight; `None` where they weigh nothing.
    pub(super) fn weighted(&mut self, weights: &[u64]) -> Option<usize> {
        let total: u64 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut left = self.below(total);
        weights.iter().position(|weight| match left.checked_sub(*weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
    }

    /// The positions of so many different ones by their weights, in the order in which they were drawn.
    pub(super) fn several(&mut self, weights: &[u64], count: usize) -> Vec<usize> {
        let mut weights = weights.to_vec();
        let mut drawn = Vec::new();
        while drawn.len() < count
            && let Some(position) = self.weighted(&weights)
        {
            drawn.push(position);
            if let Some(weight) = weights.get_mut(position) {
                *weight = 0;
            }
        }
        drawn
    }

    /// Brings items into an order, each as likely as the others.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for (end, last) in (1_u64..).zip(0..items.len()) {
            let other = usize::try_from(self.below(end)).unwrap_or(last);
            items.swap(last, other);
        }
    }
}

/// Shares out a number of things as the shares say, by the largest remainders; the first of equal ones comes first.
pub(super) fn apportion(things: u64, shares: &[u64]) -> Vec<u64> {
    let total: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    if total == 0 {
        return vec![0; shares.len()];
    }
    let exact = |share: &u64| u128::from(things) * u128::from(*share);
    let whole = |share: &u64| u64::try_from(exact(share) / total).unwrap_or(0);
    let mut counts: Vec<u64> = shares.iter().map(whole).collect();
    let mut left = things - counts.iter().sum::<u64>();
    let mut by_remainder: Vec<(u128, usize)> = (0..)
        .zip(shares)
        .map(|(at, share)| (exact(share) % total, at))
        .collect();
    by_remainder.sort_by_key(|(remainder, at)| (std::cmp::Reverse(*remainder), *at));
    for (_, at) in by_remainder {
        if left == 0 {
            break;
        }
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
            left -= 1;
        }
    }
    counts
}

/// The weights of so many things by Zipf's law: the k-th weighs 1 / k^s, where s is so many quarters.
pub(super) fn zipf(count: u32, quarters: u32) -> Vec<u64> {
    /// What the first weighs.
    const FIRST: f64 = 1_099_511_627_776.0;
    let weight = |rank: u32| {
        let rank = f64::from(rank);
        let of_quarters = match quarters % 4 {
            0 => 1.0,
            1 => rank.sqrt().sqrt(),
            2 => rank.sqrt(),
            _ => rank.sqrt() * rank.sqrt().sqrt(),
        };
        let power = (0..quarters / 4).fold(of_quarters, |power, _| power * rank);
        ((FIRST / power).floor() as u64).max(1)
    };
    (1..=count).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_decide_and_every_number_comes_up() {
        let drawn = |seed, purpose| {
            let mut draw = Draw::new(seed, purpose);
            (0..200).map(|_| draw.below(7)).collect::<Vec<u64>>()
        };
        assert_eq!(drawn(1, Purpose::Data), drawn(1, Purpose::Data));
        assert_ne!(drawn(1, Purpose::Data), drawn(2, Purpose::Data));
        assert_ne!(drawn(1, Purpose::Data), drawn(1, Purpose::Access));
        let all = drawn(1, Purpose::Data);
        assert!((0..7).all(|number| all.contains(&number)) && all.iter().all(|number| *number < 7));
        // The same on any machine and in any version of the crates.
        let mut draw = Draw::new(42, Purpose::Data);
        let first: Vec<u64> = (0..6).map(|_| draw.below(1000)).collect();
        assert_eq!(first, [805, 74, 911, 212, 772, 253]);
        assert_eq!(draw.below(0), 0);
        assert!(
            (0..50)
                .map(|_| draw.between(3, 5))
                .all(|number| (3..=5).contains(&number))
        );
    }

    #[test]
    fn weights_decide_how_often() {
        let mut draw = Draw::new(7, Purpose::Clients);
        let mut counts = [0; 3];
        for _ in 0..4_000 {
            counts[draw.weighted(&[1, 0, 3]).expect("a choice")] += 1;
        }
        assert!(counts[1] == 0 && (900..1_100).contains(&counts[0]), "{counts:?}");
        assert_eq!(draw.weighted(&[0, 0]), None);
        let mut several = draw.several(&[5, 1, 1, 0], 9);
        several.sort_unstable();
        assert_eq!(several, [0, 1, 2]);
        let mut items: Vec<u32> = (0..50).collect();
        draw.shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<u32>>());
    }

    #[test]
    fn shares_are_kept_to_one_and_add_up() {
        for (things, shares, counts) in [
            (10, &[1, 1][..], vec![5, 5]),
            (10, &[1, 1, 1], vec![4, 3, 3]),
            (3, &[50, 30, 20], vec![1, 1, 1]),
            (1, &[1, 9], vec![0, 1]),
            (5, &[0, 2], vec![0, 5]),
            (5, &[0, 0], vec![0, 0]),
        ] {
            assert_eq!(apportion(things, shares), counts, "{things} {shares:?}");
        }
    }

    #[test]
    fn popularity_falls_by_the_law_of_zipf() {
        let first = zipf(4, 4)[0];
        assert_eq!(zipf(4, 4), [first, first / 2, first / 3, first / 4]);
        assert_eq!(zipf(3, 0), [first; 3]);
        assert_eq!(zipf(4, 8)[3], first / 16);
        assert!(zipf(4, 2)[3] == first / 2, "{:?}", zipf(4, 2));
    }
}
