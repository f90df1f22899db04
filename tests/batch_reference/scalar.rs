//! What a batch must come to, by the scalar path.

use super::arena::Arena;
use super::{Batch, Mode, Outcome, totals};
use zeroproof::batch::{Directional, Request};
use zeroproof::graph::Handle;
use zeroproof::{Op, Status};

/// What is asked for, in the form that every kind of request shares.
struct Asked {
    sources: Vec<usize>,
    coordinate: Option<usize>,
    /// Whether samples whose value is not REAL are left out.
    total: bool,
    /// Whether every output has an adjoint of its own.
    pulls_back: bool,
    /// Unless it is the gradient of every output.
    what: Option<Directional>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let what = match request {
            Request::Directional { what, .. } => Some(what.clone()),
            _ => None,
        };
        let (sources, coordinate) = (request.sources().to_vec(), request.coordinate());
        let pulls_back = matches!(request, Request::Pullback { .. });
        Self { sources, coordinate, total: request.total().is_some(), pulls_back, what }
    }

    /// What the elements of an argument are on an arena.
    fn leaf(&self, argument: usize) -> Op {
        if self.coordinate == Some(argument) {
            Op::Input
        } else if self.sources.contains(&argument) {
            Op::Parameter
        } else {
            Op::Constant
        }
    }

    /// Of what every argument holds, what belongs to the sources.
    fn of_sources(&self, by_argument: &[Vec<Handle>]) -> Vec<Handle> {
        self.sources.iter().flat_map(|&source| by_argument[source].iter().copied()).collect()
    }
}

/// The results of one sample.
pub struct Sample {
    pub values: Vec<f64>,
    /// By output, those by the elements of all sources.
    pub derivatives: Vec<Vec<(f64, Status)>>,
}

/// Every sample on its own, one after the other.
pub fn outcome(batch: &Batch, request: &Request, mode: &Mode) -> Outcome {
    let mut outcome = Outcome::of(batch, request, mode);
    let (mut arena, asked) = (Arena::default(), Asked::of(request));
    let mut samples = vec![];
    for sample in 0..batch.samples {
        samples.push(replay(batch, sample, &asked, mode, &mut outcome, &mut arena));
        arena.clear();
    }
    for (number, sample) in samples.iter().enumerate() {
        for (values, &value) in outcome.values.iter_mut().zip(&sample.values) {
            values[number] = value;
        }
        let derivatives = sample.derivatives.concat();
        match request {
            Request::Jacobian { .. } | Request::Directional { what: Directional::Hessian, .. } => {
                write_rows(&mut outcome, number, &[derivatives.len()], &derivatives);
            }
            Request::Pullback { .. } if sample.derivatives.len() > 1 => {
                write_rows(&mut outcome, number, &[derivatives.len()], &derivatives);
            }
            Request::Directional { what: Directional::Derivative { widths }, .. } => {
                write_rows(&mut outcome, number, widths, &derivatives);
            }
            _ => write_rows(&mut outcome, number, &batch.widths(&asked.sources), &derivatives),
        }
    }
    if let Some(total) = request.total() {
        let arrays: Vec<_> = match &asked.what {
            Some(Directional::Derivative { .. } | Directional::Hessian) => {
                vec![(true, samples.first().map_or(0, |sample| sample.derivatives[0].len()))]
            }
            _ => {
                let is_summed = asked.sources.iter().map(|&source| !batch.function.is_per_sample(source));
                is_summed.zip(batch.widths(&asked.sources)).collect()
            }
        };
        totals::put_together(&arrays, total, &samples, &mut outcome);
    }
    outcome
}

/// The values of all nodes in each sample.
pub fn values(batch: &Batch) -> Vec<Vec<f64>> {
    let mut arena = Arena::default();
    let mut all = vec![];
    for sample in 0..batch.samples {
        let row = |argument| batch.row(argument, sample).iter();
        let numbers: Vec<f64> = (0..batch.inputs.len()).flat_map(row).copied().collect();
        let elements: Vec<_> = numbers.iter().map(|&number| arena.leaf(Op::Constant, number)).collect();
        all.push(arena.values(&batch.function, &elements));
        arena.clear();
    }
    all
}

/// How many contributions the passes of each sample leave out.
pub fn dropped(batch: &Batch, request: &Request, mode: &Mode) -> Vec<u64> {
    let (mut outcome, mut arena) = (Outcome::of(batch, request, mode), Arena::default());
    let asked = Asked::of(request);
    let count = |sample| {
        let before = outcome.statistics.dropped_contributions();
        replay(batch, sample, &asked, mode, &mut outcome, &mut arena);
        arena.clear();
        outcome.statistics.dropped_contributions() - before
    };
    (0..batch.samples).map(count).collect()
}

/// Records a sample and differentiates it, every output by a pass of its own.
fn replay(
    batch: &Batch,
    sample: usize,
    asked: &Asked,
    mode: &Mode,
    outcome: &mut Outcome,
    arena: &mut Arena,
) -> Sample {
    let leaves = |argument| -> Vec<_> {
        batch.row(argument, sample).iter().map(|&number| arena.leaf(asked.leaf(argument), number)).collect()
    };
    let leaves: Vec<_> = (0..batch.inputs.len()).map(leaves).collect();
    let roots = arena.record(&batch.function, &leaves.concat());
    let values = roots.iter().map(|&root| arena.value(root)).collect();
    let sources = asked.of_sources(&leaves);
    if let Some(what) = &asked.what {
        let sum = |root| if asked.total { arena.sum_of_real(&[root]) } else { root };
        let roots: Vec<_> = roots.into_iter().map(sum).collect();
        let direction = match what {
            Directional::Hessian => vec![],
            _ => asked.sources.iter().flat_map(|&source| batch.direction(source, sample)).copied().collect(),
        };
        let found = arena.directional(&roots, &sources, &direction, what, mode, &mut outcome.statistics);
        return Sample { values, derivatives: vec![found] };
    }
    let mut derivatives = vec![];
    for (number, root) in roots.into_iter().enumerate() {
        let root = if asked.total { arena.sum_of_real(&[root]) } else { root };
        let seed = if asked.pulls_back { batch.adjoints(sample)[number] } else { 1.0 };
        derivatives.push(arena.gradients(root, seed, &sources, mode, &mut outcome.statistics));
    }
    Sample { values, derivatives }
}

/// Writes the derivatives of a sample to its rows, those of shared arguments under a total to none.
fn write_rows(outcome: &mut Outcome, sample: usize, widths: &[usize], derivatives: &[(f64, Status)]) {
    let mut rest = derivatives;
    for (array, &width) in widths.iter().enumerate() {
        let row;
        (row, rest) = rest.split_at(width);
        if !outcome.gradients[array].is_empty() {
            for (place, &(gradient, status)) in row.iter().enumerate() {
                outcome.gradients[array][sample * width + place] = gradient;
                outcome.statuses[array][sample * width + place] = status.bits();
            }
        }
    }
}

/// A sum over the samples with all of them on one arena, where a shared argument is one leaf: its
/// gradients, which are added in another order than the engine's, stand for the total.
pub fn sum_on_one_arena(batch: &Batch, request: &Request, mode: &Mode) -> Outcome {
    let mut outcome = Outcome::of(batch, request, mode);
    let (mut arena, asked) = (Arena::default(), Asked::of(request));
    let mut leaves = |argument, sample| -> Vec<_> {
        batch.row(argument, sample).iter().map(|&number| arena.leaf(asked.leaf(argument), number)).collect()
    };
    // By argument, the leaves of every row it has.
    let rows = |argument| if batch.function.is_per_sample(argument) { batch.samples } else { 1 };
    let mut all: Vec<Vec<Vec<Handle>>> = vec![];
    for argument in 0..batch.inputs.len() {
        all.push((0..rows(argument)).map(|sample| leaves(argument, sample)).collect());
    }
    let mut roots = vec![];
    for sample in 0..batch.samples {
        let elements = all.iter().flat_map(|rows| rows[sample % rows.len()].iter().copied());
        roots.extend(arena.record(&batch.function, &elements.collect::<Vec<_>>()));
    }
    let root = arena.sum_of_real(&roots);
    let by_argument: Vec<_> = all.iter().map(|rows| rows.concat()).collect();
    let mut found =
        &arena.gradients(root, 1.0, &asked.of_sources(&by_argument), mode, &mut outcome.statistics)[..];
    for (array, &source) in asked.sources.iter().enumerate() {
        let of_source;
        (of_source, found) = found.split_at(by_argument[source].len());
        let gradients = of_source.iter().map(|(gradient, _)| *gradient);
        if batch.function.is_per_sample(source) {
            outcome.gradients[array] = gradients.collect();
            outcome.statuses[array] = of_source.iter().map(|(_, status)| status.bits()).collect();
        } else {
            outcome.totals.gradients.push(gradients.collect());
            outcome.totals.statuses.push(of_source.iter().map(|(_, status)| *status).collect());
        }
    }
    outcome
}
