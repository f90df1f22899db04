//! The values of a program, as instructions.

use super::code::{Instruction, Source};
use super::lowering::Lowering;
use crate::batch::program::{Kind, NodeId};
use crate::op::Op;
use crate::reduce::Reduction;

impl Lowering<'_> {
    /// Appends what computes a node.
    pub fn forward(&mut self, node: NodeId) {
        if !self.facts.varying[node as usize] {
            return; // worked out once a call, if it is asked for
        }
        let kind = self.program.kind(node);
        let sources: Vec<_> = self.program.operands(node).to_vec();
        let sources: Vec<_> = sources.into_iter().map(|o| self.source(o)).collect();
        let place = match kind {
            // The derivative of the one is the other.
            Kind::Elementwise(op @ (Op::Sin | Op::Cos)) if self.facts.active[node as usize] => {
                self.sin_cos(sources[0])[usize::from(op == Op::Cos)]
            }
            Kind::Elementwise(op) => self.value(op, sources[0], *sources.last().unwrap_or(&sources[0])),
            Kind::Fold(op @ (Op::Sum | Op::Mean), Reduction::Strict) => {
                let sum = sources[1..].iter().fold(sources[0], |sum, &next| self.value(Op::Add, sum, next));
                if op == Op::Mean {
                    let count = self.number(sources.len() as f64);
                    self.value(Op::Div, sum, count)
                } else {
                    sum
                }
            }
            _ => {
                let to = self.register();
                let instruction = match kind {
                    Kind::Power(n) => Instruction::Power { n, to, a: sources[0] },
                    Kind::Fold(op, mode) => {
                        Instruction::Fold { op, mode, to, list: self.code.list(&sources) }
                    }
                    Kind::Condition(predicate) => {
                        let b = *sources.last().unwrap_or(&sources[0]);
                        Instruction::Test { predicate, to, a: sources[0], b }
                    }
                    Kind::Select => {
                        Instruction::Select { to, condition: sources[0], a: sources[1], b: sources[2] }
                    }
                    _ => unreachable!("constants and arguments are no instructions"),
                };
                self.code.instructions.push(instruction);
                Source::Slot(to)
            }
        };
        self.place[node as usize] = Some(place);
    }
}
