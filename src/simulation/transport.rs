//! The least cost of a transport: amounts of several groups to places of limited room.
//!
//! Inputs: groups with an amount and what a unit costs at each place, the room of places. Outputs: the least total cost.
//! Source: successive shortest paths (Ahuja, Magnanti, Orlin, Network Flows, 9.7) on the graph of places, in which an edge is
//! the cheapest move of something that is there already. Invariants: exact in whole numbers; amounts may be split; the result
//! does not depend on the order of groups. Deliberately absent: who goes where.
#![expect(
    clippy::indexing_slicing,
    reason = "groups and places are counted here, and each list has one entry for each"
)]

use std::collections::BTreeSet;

/// An amount, and what a unit of it costs at each place; `None` where it may not go.
#[derive(Debug, Clone)]
pub struct Group {
    /// How much.
    pub amount: u64,
    /// By place.
    pub costs: Vec<Option<i64>>,
}

/// What has been sent so far.
struct Sent<'g> {
    groups: &'g [Group],
    /// What is left of each place.
    room: Vec<u64>,
    /// By group and place.
    amounts: Vec<Vec<u64>>,
    /// By place and other place: what a unit of each group that is there would cost more in the other.
    moves: Vec<Vec<BTreeSet<(i64, usize)>>>,
}

/// A way of a unit: to a place, and who makes way for it there, to which other place, and so on.
struct Way {
    cost: i64,
    places: Vec<usize>,
}

/// The least cost of sending everything; `None` where there is no room for it.
#[must_use]
pub fn least_cost(groups: &[Group], room: &[u64]) -> Option<i128> {
    let places = room.len();
    let mut sent = Sent {
        groups,
        room: room.to_vec(),
        amounts: vec![vec![0; places]; groups.len()],
        moves: vec![vec![BTreeSet::new(); places]; places],
    };
    let mut total = 0;
    for (index, group) in groups.iter().enumerate() {
        let mut left = group.amount;
        while left > 0 {
            let way = sent.cheapest(index)?;
            let amount = sent.send(index, &way.places, left);
            total += i128::from(amount) * i128::from(way.cost);
            left -= amount;
        }
    }
    Some(total)
}

impl Sent<'_> {
    /// The cheapest way of a group to a place with room (Bellman and Ford).
    fn cheapest(&self, group: usize) -> Option<Way> {
        let costs = &self.groups[group].costs;
        let mut least: Vec<Option<(i64, usize)>> = costs
            .iter()
            .enumerate()
            .map(|(place, cost)| Some(((*cost)?, place)))
            .collect();
        let mut goes_on = !self.has_room_at_cheapest(costs);
        while goes_on {
            goes_on = false;
            for from in 0..least.len() {
                let Some((cost, _)) = least[from] else { continue };
                for (known, moves) in least.iter_mut().zip(&self.moves[from]) {
                    let Some((more, _)) = moves.first() else { continue };
                    if known.is_none_or(|(known, _)| cost + more < known) {
                        *known = Some((cost + more, from));
                        goes_on = true;
                    }
                }
            }
        }
        let open = (0..least.len()).filter(|place| self.room[*place] > 0);
        let (cost, end) = open.filter_map(|place| Some((least[place]?.0, place))).min()?;
        let mut places = vec![end];
        let mut at = end;
        while let Some((_, before)) = least[at].filter(|(_, before)| *before != at) {
            places.push(before);
            at = before;
        }
        places.reverse();
        Some(Way { cost, places })
    }

    /// Whether the cheapest place of a group has room: then nobody's making way is cheaper, as what was sent so far cost the
    /// least.
    fn has_room_at_cheapest(&self, costs: &[Option<i64>]) -> bool {
        let known = costs
            .iter()
            .enumerate()
            .filter_map(|(place, cost)| Some(((*cost)?, place)));
        let cheapest = known.min();
        cheapest.is_some_and(|(_, place)| self.room[place] > 0)
    }

    /// Sends as much of a group as goes along a way: how much.
    fn send(&mut self, group: usize, places: &[usize], most: u64) -> u64 {
        let Some((first, last)) = places.first().zip(places.last()) else {
            return 0;
        };
        let hops = places.iter().zip(places.iter().skip(1));
        let movers = hops.filter_map(|(from, to)| {
            let (_, mover) = self.moves[*from][*to].first()?;
            Some((*mover, *from, *to))
        });
        let movers: Vec<(usize, usize, usize)> = movers.collect();
        let there = movers.iter().map(|(mover, from, _)| self.amounts[*mover][*from]);
        let amount = there.chain([most, self.room[*last]]).min().unwrap_or(0);
        self.room[*last] -= amount;
        self.change(group, *first, |there| there + amount);
        for (mover, from, to) in movers {
            self.change(mover, from, |there| there - amount);
            self.change(mover, to, |there| there + amount);
        }
        amount
    }

    fn change(&mut self, group: usize, place: usize, change: impl Fn(u64) -> u64) {
        let before = self.amounts[group][place];
        let after = change(before);
        self.amounts[group][place] = after;
        if (before == 0) == (after == 0) {
            return;
        }
        let costs = &self.groups[group].costs;
        let Some(here) = costs[place] else { return };
        for (to, there) in costs.iter().enumerate() {
            let Some(there) = there.filter(|_| to != place) else {
                continue;
            };
            let moves = &mut self.moves[place][to];
            match after {
                0 => moves.remove(&(there - here, group)),
                _ => moves.insert((there - here, group)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_pcg::Pcg64;

    use super::*;

    fn group(amount: u64, costs: &[i64]) -> Group {
        let costs = costs.iter().map(|cost| (*cost >= 0).then_some(*cost)).collect();
        Group { amount, costs }
    }

    #[test]
    fn who_came_first_makes_way_where_that_is_cheaper() {
        // Both want the first place; the second group pays ten more elsewhere, the first one only one.
        let groups = [group(2, &[1, 2]), group(2, &[1, 11])];
        assert_eq!(least_cost(&groups, &[2, 2]), Some(2 + 4));
        assert_eq!(least_cost(&groups, &[4, 0]), Some(4));
        assert_eq!(least_cost(&groups, &[2, 1]), None, "no room");
        assert_eq!(least_cost(&[group(1, &[-1, -1])], &[9, 9]), None, "nowhere to go");
        assert_eq!(least_cost(&[group(0, &[-1])], &[0]), Some(0));
    }

    /// Every way of sending unit by unit.
    fn by_force(units: &[&Group], room: &mut Vec<u64>) -> Option<i128> {
        let Some((first, rest)) = units.split_first() else {
            return Some(0);
        };
        let mut least = None;
        for (place, cost) in first.costs.iter().enumerate() {
            let Some(cost) = cost.filter(|_| room[place] > 0) else {
                continue;
            };
            room[place] -= 1;
            let total = by_force(rest, room).map(|rest| rest + i128::from(cost));
            room[place] += 1;
            least = least.into_iter().chain(total).min();
        }
        least
    }

    #[test]
    fn the_least_cost_is_that_of_trying_everything() {
        let mut random = Pcg64::seed_from_u64(7);
        for _ in 0..300 {
            let places = random.random_range(1..4);
            let groups: Vec<Group> = (0..random.random_range(1..4))
                .map(|_| Group {
                    amount: random.random_range(0..3),
                    costs: (0..places)
                        .map(|_| random.random_bool(0.8).then(|| random.random_range(0..20)))
                        .collect(),
                })
                .collect();
            let mut room: Vec<u64> = (0..places).map(|_| random.random_range(0..4)).collect();
            let units: Vec<&Group> = groups
                .iter()
                .flat_map(|group| (0..group.amount).map(move |_| group))
                .collect();
            let found = least_cost(&groups, &room);
            assert_eq!(found, by_force(&units, &mut room), "{groups:?} {room:?}");
        }
    }
}
