//! Whether a pod on a node is what a guarantee says must never be (docs/policies.md, 8).

use super::super::world::*;
use super::{Naive, No, Tuple, Yes};

impl Naive<'_> {
    pub fn breaks(&self, guarantee: &Guarantee, pod: &Pod, labels: Labels) -> bool {
        let sources = self.sources(pod);
        let does = sources
            .activities
            .iter()
            .any(|activity| guarantee.activities.contains(activity));
        // What is not stated may be such data; an unlabelled namespace is not spoken of.
        let carries = sources.tuples.iter().any(|(_, tuple)| {
            matches!(tuple, Tuple::Data(..)) && self.is_selected(&guarantee.data, tuple) != No
        });
        let place = self.place(labels);
        let is_forbidden = match &guarantee.location {
            Location::In(places) => self.in_places(place.as_ref(), places) != No,
            Location::Outside(places) => self.in_places(place.as_ref(), places) != Yes,
        };
        does && carries && is_forbidden && self.permits(pod, labels)
    }
}
