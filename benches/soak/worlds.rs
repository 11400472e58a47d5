//! Every world that may be seen: each state of each source with each of the others, for files are read one source
//! after another. Inputs: the texts. Output: snapshots that are found by the id that records name.
//!
//! Invariant: each is made from its texts alone, as whoever reads them once does, and from no snapshot before it, so
//! a replay does not share what the program shared from one publication to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use domicile::assembly::{FactSource, FleetFacts, RuleTexts, assemble, fleet_facts, latency_table, version};
use domicile::policy::{PolicySet, read_data_sets};
use domicile::snapshot::{Inputs, Snapshot};

use crate::variants::Variants;

/// A world and which state of each source it is made of, in the order of [`FactSource::ALL`].
pub struct World {
    pub snapshot: Snapshot,
    pub states: [usize; 4],
}

/// Every world.
pub struct Worlds {
    pub all: Vec<World>,
    by_id: BTreeMap<String, usize>,
}

impl Worlds {
    pub fn of(variants: &Variants) -> Self {
        let states = |source| variants.states(source).iter();
        let policies: Vec<Arc<PolicySet>> = states(FactSource::Policies)
            .map(|files| {
                let files = files.iter().map(|file| (file.name.as_str(), file.text.as_str()));
                let loaded = PolicySet::load_to_decide(files);
                Arc::new(loaded.unwrap_or_else(|findings| panic!("{}", findings[0])).set)
            })
            .collect();
        let fleets: Vec<FleetFacts> = states(FactSource::Fleet)
            .map(|files| fleet_facts(&files[0]).unwrap_or_else(|errors| panic!("{}", errors[0])))
            .collect();
        let mut all = Vec::new();
        for (policies_state, policies) in policies.iter().enumerate() {
            for (latency_state, latency) in states(FactSource::Latency).enumerate() {
                let table = latency_table(latency, Some(policies));
                let table = Arc::new(table.unwrap_or_else(|errors| panic!("{}", errors[0])));
                for (data_sets_state, data_sets) in states(FactSource::DataSets).enumerate() {
                    let named = data_sets
                        .iter()
                        .map(|file| (file.name.as_str(), file.text.as_str()));
                    let read = read_data_sets(named).unwrap_or_else(|findings| panic!("{}", findings[0]));
                    let read = Arc::new(read);
                    for (fleet_state, fleet) in fleets.iter().enumerate() {
                        let snapshot = Snapshot::new(Inputs {
                            fleet: fleet.fleet.clone(),
                            fleet_version: fleet.version.clone(),
                            running: fleet.running.clone(),
                            confirmed_until: fleet.confirmed_until,
                            policies: policies.clone(),
                            data_sets: read.clone(),
                            data_sets_version: version(data_sets),
                            latency: table.clone(),
                        });
                        let states = [policies_state, data_sets_state, latency_state, fleet_state];
                        all.push(World { snapshot, states });
                    }
                }
            }
        }
        let ids = all.iter().enumerate();
        let by_id: BTreeMap<String, usize> = ids
            .map(|(index, world)| (world.snapshot.id().to_owned(), index))
            .collect();
        assert_eq!(by_id.len(), all.len(), "two worlds have one id");
        let worlds = Self { all, by_id };
        worlds.are_as_others_make_them(variants);
        worlds
    }

    /// The number of the world with this id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The whole way from texts to a snapshot, once, must lead to the same world.
    fn are_as_others_make_them(&self, variants: &Variants) {
        let last = self.all.last().expect("a world");
        let [policies, data_sets, latency, fleet] = last.states;
        let texts = RuleTexts {
            policies: variants.states(FactSource::Policies)[policies].clone(),
            data_sets: variants.states(FactSource::DataSets)[data_sets].clone(),
            latency: variants.states(FactSource::Latency)[latency].clone(),
        };
        let assembled = assemble(&texts, &variants.states(FactSource::Fleet)[fleet][0]);
        let (inputs, _) = assembled.unwrap_or_else(|problems| panic!("{}", problems[0]));
        assert_eq!(Snapshot::new(inputs).id(), last.snapshot.id());
    }
}
