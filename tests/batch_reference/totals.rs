//! Totals from the samples' own results: sample `i` in lane `i mod 32` of task `i div 8192`, the lanes
//! added in halves, the tasks in a binary tree.

use super::Outcome;
use super::scalar::Sample;
use zeroproof::Status;
use zeroproof::backward::PassCounts;
use zeroproof::batch::{Total, Totals};

const TASK: usize = 8192;
const LANES: usize = 32;

/// Adds two sums of gradients: one that overflowed stays infinite, as on a leaf.
fn add_gradients(a: f64, b: f64) -> f64 {
    if a.is_infinite() { a } else { a + b }
}

/// The sum of what is there, +0 for nothing; −0 stands where there is nothing, since it changes no sum.
fn sum(contributions: &[Option<f64>], add: fn(f64, f64) -> f64) -> f64 {
    if contributions.iter().all(Option::is_none) {
        return 0.0;
    }
    let of_task = |task: &[Option<f64>]| {
        let mut lanes = [-0.0; LANES];
        for (k, contribution) in task.iter().enumerate() {
            lanes[k % LANES] = add(lanes[k % LANES], contribution.unwrap_or(-0.0));
        }
        let mut lanes = lanes.to_vec();
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes = lanes.into_iter().zip(upper).map(|(a, b)| add(a, b)).collect();
        }
        lanes[0]
    };
    let mut sums: Vec<f64> = contributions.chunks(TASK).map(of_task).collect();
    while sums.len() > 1 {
        let pair = |pair: &[f64]| if let &[a, b] = pair { add(a, b) } else { pair[0] };
        sums = sums.chunks(2).map(pair).collect();
    }
    sums[0]
}

/// Puts the samples together, and divides what was written for each sample by their number.
///
/// `arrays` says of each array of derivatives whether it is summed, and how many a sample has.
pub fn put_together(arrays: &[(bool, usize)], total: Total, samples: &[Sample], outcome: &mut Outcome) {
    let is_kept = |sample: &Sample| sample.values[0].is_finite();
    let kept = samples.iter().filter(|sample| is_kept(sample)).count() as u64;
    let values: Vec<_> = samples.iter().map(|s| Some(s.values[0]).filter(|v| v.is_finite())).collect();
    let value = sum(&values, |a, b| a + b);
    let mean = |sum: f64| if total == Total::Mean && kept > 0 { sum / kept as f64 } else { sum };
    let mut totals = Totals {
        value: if total == Total::Mean { value / kept as f64 } else { value },
        kept,
        gradients: vec![vec![]; arrays.len()],
        statuses: vec![vec![]; arrays.len()],
    };
    let mut number = 0;
    for (array, &(is_summed, width)) in arrays.iter().enumerate() {
        let numbers = number..number + width;
        number += width;
        if !is_summed {
            outcome.gradients[array].iter_mut().for_each(|gradient| *gradient = mean(*gradient));
            continue;
        }
        for number in numbers {
            let (mut status, mut dropped, mut contributions) = (Status::EXACT, 0, vec![]);
            for sample in samples {
                let (gradient, how) = sample.derivatives[0][number];
                status |= how;
                let left_out = is_kept(sample) && !gradient.is_finite();
                dropped += u64::from(left_out);
                contributions.push(Some(gradient).filter(|g| is_kept(sample) && g.is_finite()));
            }
            if dropped > 0 {
                status |= Status::DROPPED;
                outcome.statistics.add_pass(PassCounts { dropped, masked: 0 });
            }
            totals.gradients[array].push(mean(sum(&contributions, add_gradients)));
            totals.statuses[array].push(status);
        }
    }
    outcome.totals = totals;
}
