//! A stream of random choices that a failing case can be shrunk by.
//!
//! A generator draws small numbers; 0 is always the simplest answer. A failing case is kept as the list
//! of its numbers, and the list is cut and lowered as long as the case still fails: what remains is
//! close to the smallest failing case, whatever the generator makes of it.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Where a generator takes its decisions from.
pub struct Choices {
    drawn: Vec<u32>,
    next: usize,
    random: Option<Pcg64Mcg>,
}

impl Choices {
    fn random(seed: u64) -> Self {
        Self {
            drawn: Vec::new(),
            next: 0,
            random: Some(Pcg64Mcg::seed_from_u64(seed)),
        }
    }

    fn replayed(drawn: Vec<u32>) -> Self {
        Self {
            drawn,
            next: 0,
            random: None,
        }
    }

    /// A number below `limit`, which is at least 1.
    pub fn below(&mut self, limit: usize) -> usize {
        if self.next == self.drawn.len()
            && let Some(random) = &mut self.random
        {
            self.drawn.push(random.random());
        }
        let drawn = self.drawn.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        drawn as usize % limit
    }

    /// Yes once in `rarity` times.
    pub fn rarely(&mut self, rarity: usize) -> bool {
        self.below(rarity) == rarity - 1
    }

    /// One of several.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Between `least` and `most` different ones of several, in their order.
    pub fn some<T: Clone>(&mut self, of: &[T], least: usize, most: usize) -> Vec<T> {
        let mut wanted = least + self.below(most - least + 1);
        let mut taken: Vec<usize> = Vec::new();
        while wanted > 0 && taken.len() < of.len() {
            let mut index = self.below(of.len());
            while taken.contains(&index) {
                index = (index + 1) % of.len();
            }
            taken.push(index);
            wanted -= 1;
        }
        taken.sort_unstable();
        taken.into_iter().map(|index| of[index].clone()).collect()
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

/// How many cases each property is tried on. Loading sets is slow without optimisation, so the default
/// is small; the gate asks for 100,000.
pub fn wanted_cases() -> usize {
    std::env::var("DOMICILE_PROPERTY_CASES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(500)
}

/// Tries a property until it has been tried on enough cases. The check returns how many cases it tried,
/// or what went wrong; the smallest failing run that was found is reported.
pub fn hold(check: impl Fn(&mut Choices) -> Result<usize, String>) {
    hold_for(wanted_cases(), check);
}

/// Tries a property on so many cases.
pub fn hold_for(wanted: usize, check: impl Fn(&mut Choices) -> Result<usize, String>) {
    let first_seed = std::env::var("DOMICILE_PROPERTY_SEED")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0_u64);
    let mut cases = 0;
    let mut runs = 0;
    for seed in first_seed.. {
        let mut choices = Choices::random(seed);
        match check(&mut choices) {
            Ok(tried) => cases += tried,
            Err(problem) => {
                let (drawn, problem) = shrink(&check, choices.drawn, problem);
                panic!("seed {seed} (shrunk to {} choices): {problem}", drawn.len());
            }
        }
        runs += 1;
        if cases >= wanted {
            break;
        }
        assert!(runs < 100_000 + wanted, "only {cases} cases in {runs} runs");
    }
}

fn shrink(
    check: &impl Fn(&mut Choices) -> Result<usize, String>,
    mut drawn: Vec<u32>,
    mut problem: String,
) -> (Vec<u32>, String) {
    let mut attempts = 0;
    let mut improved = true;
    while improved && attempts < 20_000 {
        improved = false;
        let mut length = drawn.len() / 2;
        while length >= 1 {
            let mut start = 0;
            while start + length <= drawn.len() {
                let mut shorter = drawn.clone();
                shorter.drain(start..start + length);
                let mut zeroed = drawn.clone();
                zeroed[start..start + length].fill(0);
                let mut better = None;
                for candidate in [shorter, zeroed] {
                    attempts += 1;
                    if candidate != drawn
                        && let Err(found) = check(&mut Choices::replayed(candidate.clone()))
                    {
                        better = Some((candidate, found));
                        break;
                    }
                }
                match better {
                    Some((smaller, found)) => {
                        drawn = smaller;
                        problem = found;
                        improved = true;
                    }
                    None => start += length,
                }
            }
            length /= 2;
        }
    }
    (drawn, problem)
}

#[test]
fn a_failing_case_is_shrunk_to_what_matters() {
    let fails_beyond_nine = |choices: &mut Choices| {
        let list: Vec<usize> = (0..choices.below(40)).map(|_| choices.below(100)).collect();
        match list.iter().find(|number| **number > 9) {
            Some(_) => Err(format!("{}", list.len())),
            None => Ok(1),
        }
    };
    let long: Vec<u32> = std::iter::once(39).chain(0..60).collect();
    let (drawn, _) = shrink(&fails_beyond_nine, long, String::new());
    let mut replayed = Choices::replayed(drawn);
    assert!(fails_beyond_nine(&mut replayed).is_err());
    assert!(replayed.drawn.len() <= 40, "{:?}", replayed.drawn);
}
