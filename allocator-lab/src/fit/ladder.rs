//! The cheapest ladder of size classes, for every number of them: exact, by divide and conquer.
//!
//! A *rung* is a size that a class may have. Class `j` after class `i` serves the sizes between, and
//! costs `(weight[j] - weight[i]) * taken[j]`. As no larger rung takes less than a smaller one, the
//! cost is Monge: of two rungs, the larger one's best predecessor is never the smaller. So the best
//! predecessors of half of the rungs bound those of the others, and one more class costs
//! `O(n log n)`.
//!
//! 1. `taken` never falls from one rung to the next, and `weight` neither.
//! 2. `reach[j]` is the lowest node that rung `j` may follow, never falls, and is at most the node
//!    before it. Node 0 is the bottom, before any class; rung `j` is node `j + 1`.
//! 3. For each number of classes, the nodes that it can end at are neighbours.

use std::ops::RangeInclusive;

/// A size that a class may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// Bytes of a block.
    pub bytes: usize,
    /// Bytes of page that a block takes.
    pub taken: f64,
    /// Blocks of this size or less.
    pub weight: f64,
    /// The lowest node that it may follow (Inv. 2).
    pub reach: usize,
}

/// The cheapest ladder of some number of classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Ladder {
    /// Bytes of the classes, ascending.
    pub classes: Vec<usize>,
    /// Bytes of page that all blocks take.
    pub cost: f64,
}

/// The cheapest ladders that end at the last rung, of 1 to `most` classes; `None` where the reaches
/// allow none. The first is that of one class.
#[must_use]
pub fn solve(rungs: &[Rung], most: usize) -> Vec<Option<Ladder>> {
    check(rungs);
    let Some(last) = rungs.len().checked_sub(1) else {
        return vec![None; most];
    };
    let mut layers: Vec<Layer> = Vec::with_capacity(most);
    let mut ladders = Vec::with_capacity(most);
    for _ in 0..most {
        let layer = match layers.last() {
            Some(below) => below.next(rungs),
            None => Layer::bottom(rungs.len()).next(rungs),
        };
        layers.push(layer);
        ladders.push(trace(rungs, &layers, last + 1));
    }
    ladders
}

/// What the cheapest ladders of one number of classes cost, by the node that they end at.
struct Layer {
    cost: Vec<f64>,
    /// The node before the last.
    before: Vec<u32>,
    /// The nodes that can be ended at (Inv. 3); elsewhere the cost means nothing.
    ends: Option<RangeInclusive<usize>>,
}

impl Layer {
    /// No class at all.
    fn bottom(rungs: usize) -> Self {
        Self {
            cost: vec![0.0; rungs + 1],
            before: vec![0; rungs + 1],
            ends: Some(0..=0),
        }
    }

    /// One class more.
    fn next(&self, rungs: &[Rung]) -> Self {
        let mut next = Self::bottom(rungs.len());
        next.ends = None;
        if let Some(ends) = &self.ends {
            // Those that may follow some end: reaches never fall.
            let first = ends.start() + 1;
            let after = 1 + rungs.partition_point(|rung| rung.reach <= *ends.end());
            if first < after {
                next.fill(self, ends, rungs, first..=after - 1, ends.clone());
                next.ends = Some(first..=after - 1);
            }
        }
        next
    }

    /// The cheapest ladders that end at `nodes`, whose nodes before the last are among `among`.
    fn fill(
        &mut self,
        below: &Self,
        ends: &RangeInclusive<usize>,
        rungs: &[Rung],
        nodes: RangeInclusive<usize>,
        among: RangeInclusive<usize>,
    ) {
        let (first, last) = nodes.into_inner();
        if first > last {
            return;
        }
        let node = first.midpoint(last);
        let rung = &rungs[node - 1];
        let from = rung.reach.max(*among.start());
        let to = (node - 1).min(*among.end());
        let (mut best, mut cheapest) = (from, f64::INFINITY);
        for before in from..=to {
            let weight = match before {
                0 => 0.0,
                _ => rungs[before - 1].weight,
            };
            let cost = below.cost[before] + (rung.weight - weight) * rung.taken;
            if cost < cheapest {
                (best, cheapest) = (before, cost);
            }
        }
        debug_assert!(ends.contains(&best) && cheapest < f64::INFINITY);
        self.cost[node] = cheapest;
        self.before[node] = best as u32;
        let (low, high) = among.into_inner();
        self.fill(below, ends, rungs, first..=node - 1, low..=best);
        self.fill(below, ends, rungs, node + 1..=last, best..=high);
    }
}

/// The ladder that ends at `end`, of as many classes as there are layers.
fn trace(rungs: &[Rung], layers: &[Layer], end: usize) -> Option<Ladder> {
    let top = layers.last()?;
    top.ends.as_ref()?.contains(&end).then(|| {
        let mut classes = Vec::with_capacity(layers.len());
        let mut node = end;
        for layer in layers.iter().rev() {
            classes.push(rungs[node - 1].bytes);
            node = layer.before[node] as usize;
        }
        classes.reverse();
        Ladder {
            classes,
            cost: top.cost[end],
        }
    })
}

/// The invariants that the caller answers for.
fn check(rungs: &[Rung]) {
    for (index, rung) in rungs.iter().enumerate() {
        assert!(rung.reach <= index, "a class follows a smaller one");
    }
    for pair in rungs.windows(2) {
        assert!(pair[0].bytes < pair[1].bytes, "rungs ascend");
        assert!(pair[0].taken <= pair[1].taken, "Inv. 1");
        assert!(pair[0].weight <= pair[1].weight, "Inv. 1");
        assert!(pair[0].reach <= pair[1].reach, "Inv. 2");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cheapest cost of exactly `classes` classes that end at `node`, by trying all.
    fn brute_force(rungs: &[Rung], classes: usize, node: usize) -> Option<f64> {
        let Some(rung) = node.checked_sub(1).map(|index| rungs[index]) else {
            return (classes == 0).then_some(0.0);
        };
        let fewer = classes.checked_sub(1)?;
        let costs = (rung.reach..node).filter_map(|before| {
            let weight = before.checked_sub(1).map_or(0.0, |it| rungs[it].weight);
            let cost = brute_force(rungs, fewer, before)?;
            Some(cost + (rung.weight - weight) * rung.taken)
        });
        costs.min_by(f64::total_cmp)
    }

    /// Rungs whose costs are whole numbers, so that sums are exact.
    fn random_rungs(random: &mut fastrand::Rng) -> Vec<Rung> {
        let (mut bytes, mut taken, mut weight, mut reach) = (0, 0, 0, 0);
        // How wide a gap may be; sometimes so narrow that few numbers of classes are possible.
        let widest = random.usize(1..=12);
        (0..random.usize(1..=12))
            .map(|index| {
                bytes += 8 * random.usize(1..=4);
                taken += random.u32(0..=9);
                weight += random.u32(0..=5) * random.u32(0..=5);
                let least = (index + 1_usize).saturating_sub(widest);
                reach = least.max(random.usize(reach..=(reach + 1).min(index.max(reach))));
                Rung {
                    bytes,
                    taken: f64::from(taken),
                    weight: f64::from(weight),
                    reach: reach.min(index),
                }
            })
            .collect()
    }

    #[test]
    fn it_equals_brute_force_on_1000_random_instances() {
        let seed = 0x1adde6;
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut solved, mut impossible) = (0, 0);
        for _ in 0..1000 {
            let rungs = random_rungs(&mut random);
            for (index, ladder) in solve(&rungs, rungs.len() + 1).iter().enumerate() {
                let expected = brute_force(&rungs, index + 1, rungs.len());
                assert_eq!(ladder.as_ref().map(|it| it.cost), expected, "{rungs:?}");
                let Some(ladder) = ladder else {
                    impossible += 1;
                    continue;
                };
                solved += 1;
                assert_eq!(ladder.classes.len(), index + 1);
                assert_eq!(ladder.cost, cost(&rungs, &ladder.classes), "{rungs:?}");
            }
        }
        assert!(solved > 2000 && impossible > 2000, "{solved} {impossible}");
    }

    /// What the classes cost, by adding up; they must obey the reaches.
    fn cost(rungs: &[Rung], classes: &[usize]) -> f64 {
        let (mut node, mut weight, mut cost) = (0, 0.0, 0.0);
        for class in classes {
            let index = rungs.iter().position(|rung| rung.bytes == *class);
            let index = index.expect("a rung");
            let rung = rungs[index];
            assert!(rung.reach <= node && node <= index);
            cost += (rung.weight - weight) * rung.taken;
            (node, weight) = (index + 1, rung.weight);
        }
        cost
    }

    #[test]
    fn nothing_to_climb_is_no_ladder() {
        assert_eq!(solve(&[], 2), [None, None]);
    }
}
