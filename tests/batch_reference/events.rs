//! What happens in a batch: by the engine, and by the definition on the scalar path.

use super::{Batch, Function, Mode, scalar};
use std::collections::BTreeMap;
use zeroproof::batch::events::{BatchEvent, Happened};
use zeroproof::batch::{Kind, NodeId, Plan, Request, Stopped};
use zeroproof::graph::origins::MOST_OPERANDS;
use zeroproof::op::Arity;
use zeroproof::{Op, TrScalar};

/// An event in a form that compares bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub count: u64,
    pub samples: Vec<usize>,
    pub operands: Vec<u64>,
    pub value: u64,
    pub distance: Option<u64>,
}

pub type Events = BTreeMap<(NodeId, Happened), Told>;

/// The bits of a value; every NaN is Φ.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// What the engine tells, of each event so many samples.
pub fn origins(batch: &Batch, most: usize) -> Vec<BatchEvent> {
    let found =
        batch
            .function
            .program
            .origins(batch.samples, &batch.arguments(&Request::Values), most, &mut || false);
    found.expect("nobody interrupts")
}

/// What the engine tells of outputs that are not REAL.
pub fn causes(batch: &Batch, most: usize) -> Vec<BatchEvent> {
    let found =
        batch.function.program.causes(batch.samples, &batch.arguments(&Request::Values), most, &mut || false);
    found.expect("nobody interrupts")
}

/// What the engine tells of contributions left out.
///
/// # Errors
/// If it was interrupted.
pub fn dropped(
    batch: &Batch,
    request: &Request,
    mode: &Mode,
    most: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Vec<BatchEvent>, Stopped> {
    let plan = Plan::new(&batch.function.program, request.clone());
    plan.dropped(
        batch.samples,
        &batch.arguments(&Request::Values),
        most,
        &mode.state,
        &mode.before,
        interrupted,
    )
}

/// By node and kind; a place that is told twice fails.
pub fn by_place(events: &[BatchEvent]) -> Events {
    let mut told = Events::new();
    for event in events {
        let entry = Told {
            count: event.count,
            samples: event.samples.clone(),
            operands: event.operands.iter().copied().map(bits).collect(),
            value: bits(event.value),
            distance: event.distance.map(bits),
        };
        assert!(told.insert((event.node, event.happened), entry).is_none(), "{event:?} is told twice");
    }
    told
}

/// Origins by definition: a value that is not REAL from REAL operands, or Φ from operands none of which is
/// Φ. Of all nodes, or of those because of which an output is not REAL.
pub fn expected_origins(batch: &Batch, only_causes: bool) -> Events {
    let mut told = Events::new();
    for (sample, values) in scalar::values(batch).iter().enumerate() {
        let blamed = |node: &NodeId| !only_causes || blames(&batch.function, values).contains(node);
        let elements = batch.function.program.element_count();
        for (node, (kind, operands)) in (elements as NodeId..).zip(&batch.function.nodes) {
            let value = values[node as usize];
            let mut operands: Vec<f64> = operands.iter().map(|&operand| values[operand as usize]).collect();
            let all_real = operands.iter().all(|operand| operand.is_finite());
            let makes_phi = value.is_nan() && !operands.iter().any(|operand| operand.is_nan());
            let Some(op) = op_of(*kind) else { continue };
            if value.is_finite() || !(all_real || makes_phi) || !blamed(&node) {
                continue;
            }
            if let Kind::Power(n) = kind {
                operands.push(f64::from(*n));
            }
            let at = |place: usize| operands.get(place).copied().unwrap_or(0.0);
            let has_pole = op.arity() != Arity::Variadic;
            let distance = op.pole(at(0), at(1)).filter(|_| has_pole).map(f64::abs);
            operands.truncate(MOST_OPERANDS);
            let happened = Happened::Born(TrScalar::from_ieee(value).tag());
            let entry = told.entry((node, happened)).or_insert_with(|| Told {
                count: 0,
                samples: vec![],
                operands: operands.iter().copied().map(bits).collect(),
                value: bits(value),
                distance: distance.map(bits),
            });
            entry.count += 1;
            entry.samples.push(sample);
            // Magnitudes are in the order of their bits; a power may have a pole in some samples only.
            entry.distance = entry.distance.into_iter().chain(distance.map(bits)).min();
        }
    }
    told
}

fn op_of(kind: Kind) -> Option<Op> {
    match kind {
        Kind::Elementwise(op) | Kind::Fold(op, _) => Some(op),
        Kind::Power(_) => Some(Op::PowInt),
        _ => None,
    }
}

/// The nodes that are not REAL on the way to an output that is not.
fn blames(function: &Function, values: &[f64]) -> Vec<NodeId> {
    let elements = function.program.element_count();
    let (mut todo, mut blamed) = (function.program.outputs().to_vec(), vec![]);
    while let Some(node) = todo.pop() {
        if values[node as usize].is_finite() || blamed.contains(&node) {
            continue;
        }
        blamed.push(node);
        let Some(place) = (node as usize).checked_sub(elements) else { continue };
        let (kind, operands) = &function.nodes[place];
        match kind {
            Kind::Select if values[operands[0] as usize] != 0.0 => todo.push(operands[1]),
            Kind::Select => todo.push(operands[2]),
            _ => todo.extend(operands),
        }
    }
    blamed
}
