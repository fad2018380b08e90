//! Measures the points: the rounds of the race, on points instead of rows.

use super::points::{Point, Series};
use crate::corpus::Corpus;
use crate::progress::Progress;
use crate::race::build::Executables;
use crate::race::entrants::Entrant;
use crate::race::racer::Racer;
use crate::race::rounds::{self, Plan};
use crate::rounds::Limit;
use crate::workloads::Size;

/// What is to be measured.
pub struct Scaling {
    /// What is counted up.
    pub series: Vec<Series>,
    /// Who takes part.
    pub entrants: Vec<&'static Entrant>,
    /// How much of each.
    pub size: Size,
    /// How often.
    pub rounds: usize,
    /// Where the random order starts from.
    pub seed: u64,
}

/// Runs all rounds: of the points that the same entrants take part in, in one random order.
///
/// # Errors
/// A sentence, if the input cannot be stored.
pub fn run(
    scaling: &Scaling,
    executables: &Executables,
) -> Result<Vec<rounds::Series<Point>>, String> {
    let racer = Racer::new(executables, scaling.size, &Corpus::default())?;
    let mut measured = Vec::new();
    for (entrants, rows) in groups(scaling) {
        let plan = Plan {
            rows,
            entrants,
            limit: Limit {
                least_rounds: scaling.rounds,
                most_rounds: scaling.rounds,
                end: None,
            },
            seed: scaling.seed,
        };
        let (allocators, points) = (plan.entrants.len(), plan.rows.len());
        let rounds = scaling.rounds;
        let progress = Progress::new(&format!(
            "measuring {allocators} allocators at {points} points, rounds: {rounds}"
        ));
        let run = rounds::run(&plan, &racer, |step| progress.show(&step));
        measured.extend(run.series);
    }
    Ok(measured)
}

/// Entrants, and what they are measured on together.
type Group = (Vec<&'static Entrant>, Vec<&'static Point>);

/// The points by who takes part in them.
fn groups(scaling: &Scaling) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for series in &scaling.series {
        let entrants = series.entrants(&scaling.entrants);
        match groups.iter_mut().find(|group| group.0 == entrants) {
            Some(group) => group.1.extend(series.points()),
            None => groups.push((entrants, series.points())),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::points::{POINTS, SERIES};
    use super::*;
    use crate::race::entrants::ENTRANTS;

    #[test]
    fn what_the_same_entrants_take_part_in_is_in_one_random_order() {
        let groups = groups(&Scaling {
            series: SERIES.to_vec(),
            entrants: vec![&ENTRANTS[0]],
            size: Size::Quick,
            rounds: 1,
            seed: 1,
        });
        assert_eq!(groups.len(), 2, "the types are apart");
        let points: usize = groups.iter().map(|group| group.1.len()).sum();
        assert_eq!(points, POINTS.len());
    }
}
