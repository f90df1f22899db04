//! The pass of samples whose output is not REAL, in Mask-REAL: the most common ones that are irregular.
//!
//! The root passes nothing on, so that every adjoint below it is a zero and every derivative masked. Nothing is
//! dropped, for what is not REAL is not counted where the adjoint is 0. What is left to find are the signs of the
//! zeros, and how many nodes are silenced.

use super::{Interpreter, Task};
use crate::adjoints::{Adjoint, RECEIVED};
use crate::batch::compile::code::Derivative;
use crate::batch::program::{Kind, NodeId};
use crate::error::Error;
use crate::mode::GradientMode;
use crate::op::powers::PowInt;
use crate::op::{Arity, Elementwise, Form};
use crate::room;
use crate::status::Status;

impl Interpreter {
    /// Whether the next pass is such a one in every sample.
    pub(super) fn silences_root(&self, task: Task<'_>, root: NodeId, seed: &dyn Fn(usize) -> f64) -> bool {
        task.state.mode == GradientMode::MaskReal
            && self.is_plain
            && self.dropped.is_none()
            && matches!(task.program.kind(root), Kind::Elementwise(_) | Kind::Power(_))
            && !self.row(root).iter().any(|value| value.is_finite())
            && (0..self.lanes).all(|lane| seed(lane).is_finite())
    }

    /// The pass. Nobody asks for the derivatives of samples that are left out of all sums, of which the first one stands
    /// for all.
    pub(super) fn masked_pass(&mut self, task: Task<'_>, derivatives: &[Derivative]) -> Result<usize, Error> {
        let (program, lanes) = (task.program, self.lanes);
        let wants_zeros = !(task.drops && task.only_sums);
        let told = if wants_zeros { lanes } else { lanes.min(1) };
        if wants_zeros {
            room::grow(&mut self.zeros, program.len() * lanes, f64::NAN)?;
        }
        let rows = |node: NodeId| node as usize * lanes..(node as usize + 1) * lanes;
        let told_rows = |node: NodeId| node as usize * lanes..node as usize * lanes + told;
        derivatives.iter().for_each(|d| self.rows[told_rows(d.element)].fill(Adjoint::default()));
        if wants_zeros {
            self.reached.iter().for_each(|&node| self.zeros[rows(node)].fill(f64::NAN));
        }
        let reached = std::mem::take(&mut self.reached);
        for &node in &reached {
            match program.kind(node) {
                Kind::Argument(_) => {
                    for lane in told_rows(node) {
                        let row = &mut self.rows[lane];
                        *row = Adjoint::default();
                        row.reach(Status::MASKED.bits());
                        if wants_zeros && !self.zeros[lane].is_nan() {
                            row.value = self.zeros[lane];
                            row.mark |= RECEIVED;
                        }
                    }
                    continue;
                }
                Kind::Elementwise(op) if wants_zeros => {
                    with_elementwise!(op, O => self.pass_zeros::<O>(task, node, 0.0), else ());
                }
                Kind::Power(n) if wants_zeros => self.pass_zeros::<PowInt>(task, node, f64::from(n)),
                _ => {}
            }
            // Every node below the root is reached in every sample.
            let real: u64 = self.row(node).iter().map(|value| u64::from(value.is_finite())).sum();
            self.counts.masked += lanes as u64 - real;
        }
        self.reached = reached;
        Ok(told)
    }

    /// What a node passes to its operands; `n` is the exponent of a power.
    #[inline(always)]
    fn pass_zeros<O: Elementwise>(&mut self, task: Task<'_>, node: NodeId, n: f64) {
        let (lanes, operands) = (self.lanes, task.program.operands(node));
        let is_binary = O::ARITY == Arity::Binary;
        let second = if is_binary { operands[1] } else { operands[0] };
        let goes = |operand: NodeId| task.facts.active[operand as usize];
        let goes = [goes(operands[0]), is_binary && goes(second)];
        let first = |node: NodeId| node as usize * lanes;
        let (x, y, z) = (first(operands[0]), first(second), first(node));
        let row = |first: usize| &self.values[first..first + lanes];
        let (a, b, values) = (row(x), row(y), row(z));
        let (before, zeros) = self.zeros.split_at_mut(z);
        let zeros = &zeros[..lanes];
        for lane in 0..lanes {
            if !values[lane].is_finite() {
                continue;
            }
            let g = if zeros[lane].is_nan() { 0.0 } else { zeros[lane] };
            let b = if is_binary { b[lane] } else { n };
            let contributions = O::classical(g, a[lane], b, values[lane]).full();
            if goes[0] {
                receive(&mut before[x + lane], contributions[0]);
            }
            if goes[1] {
                receive(&mut before[y + lane], contributions[1]);
            }
        }
    }
}

/// A contribution arrives at an adjoint; one that is not REAL is left out.
#[inline(always)]
fn receive(sum: &mut f64, contribution: f64) {
    let begun = if sum.is_nan() { contribution } else { *sum + contribution };
    *sum = if contribution.is_finite() { begun } else { *sum };
}
