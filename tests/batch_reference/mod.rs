//! What a batch must come to: each sample recorded with scalars on an arena and differentiated there,
//! one after the other, and the totals put together by a tree of their own.

mod arena;
pub mod bytes;
pub mod case;
pub mod cases;
pub mod compare;
pub mod events;
pub mod mixture;
pub mod recipe;
pub mod scalar;
mod totals;

use std::fmt;
use zeroproof::batch::{
    Argument, Directional, Execution, Input, Kind, NodeId, Outputs, Plan, Program, Request, Stopped, Totals,
};
use zeroproof::{HysteresisPolicy, ModeState, Op, Statistics};

/// A function as the engine sees it, a program, and as the reference does, the list of its nodes.
#[derive(Clone)]
pub struct Function {
    pub program: Program,
    /// The nodes after the elements of the arguments.
    nodes: Vec<(Kind, Vec<NodeId>)>,
}

impl Function {
    /// A function of arguments with these shapes; `true` stands for one number each sample.
    pub fn new(arguments: &[(&[usize], bool)]) -> Self {
        let argument = |(number, &(shape, per_sample)): (usize, &(&[usize], bool))| Argument {
            name: format!("arg{number}"),
            shape: shape.to_vec(),
            per_sample,
        };
        Self { program: Program::new(arguments.iter().enumerate().map(argument).collect()), nodes: vec![] }
    }

    pub fn push(&mut self, kind: Kind, operands: &[NodeId]) -> NodeId {
        self.nodes.push((kind, operands.to_vec()));
        self.program.push(kind, operands)
    }

    /// Appends an op of one or two operands.
    pub fn op(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        self.push(Kind::Elementwise(op), operands)
    }

    pub fn returns(mut self, outputs: &[NodeId]) -> Self {
        self.program.set_outputs(outputs.to_vec());
        self
    }

    /// How many numbers a sample sees of an argument.
    pub fn width(&self, argument: usize) -> usize {
        self.program.elements(argument).len()
    }

    pub fn is_per_sample(&self, argument: usize) -> bool {
        self.program.arguments()[argument].per_sample
    }
}

/// Constants are shown exactly, which the listing of the program does not do.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let constants: Vec<_> =
            self.nodes.iter().filter(|(kind, _)| matches!(kind, Kind::Constant(_))).collect();
        write!(f, "{}\nconstants {constants:?}", self.program)
    }
}

/// A function and the numbers it is asked for.
pub struct Batch {
    pub function: Function,
    pub samples: usize,
    /// By argument: the numbers of every sample, or those that all share.
    pub inputs: Vec<Vec<f64>>,
    /// By argument, for a request that has a direction: the same for that. Behind these, for a pullback, the
    /// adjoints of the outputs: of every sample, or those that all share.
    pub directions: Vec<Vec<f64>>,
}

impl Batch {
    /// The numbers as the engine takes them, then the directions of the sources.
    fn arguments(&self, request: &Request) -> Vec<Input<'_>> {
        let sources = if has_direction(request) { request.sources() } else { &[] };
        let directions = sources.iter().map(|&source| (source, &self.directions[source]));
        let input = |(argument, numbers)| match self.function.is_per_sample(argument) {
            true => Input::PerSample(numbers),
            false => Input::Shared(numbers),
        };
        let all = self.inputs.iter().enumerate().chain(directions);
        let mut all: Vec<_> = all.map(|(argument, numbers)| (argument, &numbers[..])).map(input).collect();
        if let Request::Pullback { .. } = request {
            let adjoints = &self.directions[self.inputs.len()];
            all.push(if self.is_shared() { Input::Shared(adjoints) } else { Input::PerSample(adjoints) });
        }
        all
    }

    /// Whether no argument has numbers for each sample.
    fn is_shared(&self) -> bool {
        (0..self.inputs.len()).all(|argument| !self.function.is_per_sample(argument))
    }

    /// The adjoints of the outputs in a sample.
    fn adjoints(&self, sample: usize) -> &[f64] {
        let outputs = self.function.program.outputs().len();
        let start = if self.is_shared() { 0 } else { sample * outputs };
        &self.directions[self.inputs.len()][start..start + outputs]
    }

    /// How many numbers a sample sees of each of some arguments.
    fn widths(&self, arguments: &[usize]) -> Vec<usize> {
        arguments.iter().map(|&argument| self.function.width(argument)).collect()
    }

    /// The numbers that a sample sees of an argument.
    fn row(&self, argument: usize, sample: usize) -> &[f64] {
        &self.inputs[argument][self.place(argument, sample)]
    }

    /// The numbers of an argument's direction in a sample.
    fn direction(&self, argument: usize, sample: usize) -> &[f64] {
        &self.directions[argument][self.place(argument, sample)]
    }

    fn place(&self, argument: usize, sample: usize) -> std::ops::Range<usize> {
        let width = self.function.width(argument);
        let start = if self.function.is_per_sample(argument) { sample * width } else { 0 };
        start..start + width
    }
}

/// Whether a request is about a direction.
fn has_direction(request: &Request) -> bool {
    matches!(
        request,
        Request::Directional { what: Directional::Derivative { .. } | Directional::Product(_), .. }
    )
}

/// A gradient mode, and what was measured before.
#[derive(Clone)]
pub struct Mode {
    pub state: ModeState,
    pub before: Statistics,
}

impl From<ModeState> for Mode {
    fn from(state: ModeState) -> Self {
        Self { state, before: Statistics::new() }
    }
}

impl Mode {
    /// The same with a hysteresis policy that saturates.
    pub fn under_policy(mut self) -> Self {
        self.before.set_policy(Some(HysteresisPolicy::new(0.1, 0.2, None, None).unwrap()));
        self.before.add_distance(0.0).unwrap();
        self.before.end_batch();
        assert!(self.before.saturates());
        self
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = if self.before.saturates() { ", under a policy that saturates" } else { "" };
        write!(f, "{:?}{policy}", self.state)
    }
}

/// All that can be seen of a run.
#[derive(Clone)]
pub struct Outcome {
    pub values: Vec<Vec<f64>>,
    pub gradients: Vec<Vec<f64>>,
    pub statuses: Vec<Vec<u8>>,
    pub totals: Totals,
    pub statistics: Statistics,
}

impl Outcome {
    /// Room for the results of a request, filled with what is no result.
    pub fn of(batch: &Batch, request: &Request, mode: &Mode) -> Self {
        let (function, samples) = (&batch.function, batch.samples);
        let outputs = function.program.outputs().len();
        let of_sources = |sources: &[usize], total: bool| -> Vec<usize> {
            let len = |&source: &usize| match total && !function.is_per_sample(source) {
                true => 0,
                false => samples * function.width(source),
            };
            sources.iter().map(len).collect()
        };
        let (values, lengths) = match request {
            Request::Values => (outputs, vec![]),
            Request::Pullback { sources, .. } if outputs > 1 => {
                (outputs, vec![outputs * of_sources(sources, false).iter().sum::<usize>()])
            }
            Request::Gradient { sources, total, .. } | Request::Pullback { sources, total, .. } => {
                (if total.is_some() { 0 } else { 1 }, of_sources(sources, total.is_some()))
            }
            Request::Jacobian { sources, .. } => {
                (outputs, vec![outputs * of_sources(sources, false).iter().sum::<usize>()])
            }
            Request::Directional { what, sources, total, .. } => {
                let (rows, values) = match total {
                    Some(_) => (0, 0),
                    None => (samples, outputs),
                };
                match what {
                    Directional::Derivative { widths } => {
                        (values, widths.iter().map(|width| rows * width).collect())
                    }
                    Directional::Product(_) => (values, of_sources(sources, total.is_some())),
                    Directional::Hessian => {
                        let n: usize = sources.iter().map(|&source| function.width(source)).sum();
                        (values, vec![rows * n * n])
                    }
                }
            }
        };
        Self {
            values: vec![vec![0.5; samples]; values],
            gradients: lengths.iter().map(|&len| vec![0.5; len]).collect(),
            statuses: lengths.iter().map(|&len| vec![0x55; len]).collect(),
            totals: Totals::default(),
            statistics: mode.before.clone(),
        }
    }
}

/// Runs the engine.
pub fn run(
    batch: &Batch,
    request: &Request,
    mode: &Mode,
    execution: Execution,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Outcome, Stopped> {
    let mut outcome = Outcome::of(batch, request, mode);
    run_into(&mut outcome, batch, request, &mode.state, execution, interrupted)?;
    Ok(outcome)
}

/// Runs the engine for these results, which it adds to the statistics of. Without an array of statuses none
/// is asked for.
pub fn run_into(
    outcome: &mut Outcome,
    batch: &Batch,
    request: &Request,
    state: &ModeState,
    execution: Execution,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<(), Stopped> {
    let plan = Plan::new(&batch.function.program, request.clone());
    let inputs = batch.arguments(request);
    let outputs = Outputs {
        values: outcome.values.iter_mut().map(|all| &mut all[..]).collect(),
        gradients: outcome.gradients.iter_mut().map(|all| &mut all[..]).collect(),
        statuses: outcome.statuses.iter_mut().map(|all| &mut all[..]).collect(),
    };
    let statistics = &mut outcome.statistics;
    outcome.totals = plan.run(batch.samples, &inputs, outputs, state, statistics, execution, interrupted)?;
    Ok(())
}

/// Compares the engine with the scalar path.
///
/// # Errors
/// What is different, where, and for which numbers.
pub fn check(batch: &Batch, request: &Request, mode: &Mode, executions: &[Execution]) -> Result<(), String> {
    let expected = scalar::outcome(batch, request, mode);
    for &execution in executions {
        let found = run(batch, request, mode, execution, &mut || false).expect("nobody interrupts");
        let mut same = compare::outcomes(batch, &found, &expected, &mode.state);
        if execution.threads == 1 {
            same = same.and_then(|()| compare::order_of_decisions(&found, &expected));
        }
        same.map_err(|difference| {
            format!(
                "{difference}\n{request:?}\n{mode:?}\n{execution:?}, {} samples of\n{}",
                batch.samples, batch.function
            )
        })?;
    }
    Ok(())
}
