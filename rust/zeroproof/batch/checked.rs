//! Programs from data that nobody vouches for: each step is checked before it is appended.

use super::program::{Kind, NodeId, Predicate, Program};
use crate::error::Error;
use crate::op::{Arity, Op};
use std::fmt;

/// Why a step or an output cannot be part of a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Invalid {
    /// An operand or output that is no node before.
    NoNode(NodeId),
    /// Another number of operands than the step takes.
    Count {
        /// How many it takes; `None` for at least one.
        expected: Option<usize>,
        /// How many were given.
        given: usize,
    },
    /// An op that steps of this kind do not have.
    Op(Op),
    /// An exponent out of range.
    Exponent(i32),
    /// A condition where a number is expected.
    IsCondition(NodeId),
    /// A number where a condition is expected.
    IsNoCondition(NodeId),
    /// An element of an argument, which is no step.
    Argument,
    /// The step is valid, but there is no memory for it, or no number.
    Refused(Error),
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode(node) => write!(f, "there is no node {node} before it"),
            Self::Count { expected: Some(expected), given } => {
                write!(f, "it takes {expected} operands, not {given}")
            }
            Self::Count { expected: None, given } => write!(f, "it takes at least one operand, not {given}"),
            Self::Op(op) => write!(f, "{} is no operation of this kind of step", op.name()),
            Self::Exponent(n) => write!(f, "the exponent {n} is not between {} and {}", -i32::MAX, i32::MAX),
            Self::IsCondition(node) => write!(f, "node {node} is a condition, where a number is expected"),
            Self::IsNoCondition(node) => write!(f, "node {node} is a number, where a condition is expected"),
            Self::Argument => f.write_str("an argument's element is no step"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Invalid {}

impl Program {
    /// Appends a node, as [`Program::push`], if tracing could have recorded it.
    ///
    /// # Errors
    /// [`Invalid`]; then the program is as it was.
    pub fn push_checked(&mut self, kind: Kind, operands: &[NodeId]) -> Result<NodeId, Invalid> {
        if let Some(&node) = operands.iter().find(|&&node| node as usize >= self.len()) {
            return Err(Invalid::NoNode(node));
        }
        let given = operands.len();
        let expected = match kind {
            Kind::Constant(_) => Some(0),
            Kind::Argument(_) => return Err(Invalid::Argument),
            Kind::Elementwise(op) => match op.arity() {
                Arity::Unary => Some(1),
                Arity::Binary => Some(2),
                _ => return Err(Invalid::Op(op)),
            },
            Kind::Power(i32::MIN) => return Err(Invalid::Exponent(i32::MIN)),
            Kind::Power(_) => Some(1),
            Kind::Fold(op, _) if op.arity() != Arity::Variadic => return Err(Invalid::Op(op)),
            Kind::Fold(..) => None,
            Kind::Condition(predicate) => Some(predicate.operands()),
            Kind::Select => Some(3),
        };
        if expected.map_or(given == 0, |expected| expected != given) {
            return Err(Invalid::Count { expected, given });
        }
        for (place, &node) in operands.iter().enumerate() {
            match kind {
                Kind::Condition(predicate) if predicate.is_logical() => self.expect_truth(node)?,
                Kind::Select if place == 0 && !self.is_condition(node) => {
                    return Err(Invalid::IsNoCondition(node));
                }
                Kind::Select if place == 0 => {}
                _ => self.expect_number(node)?,
            }
        }
        self.try_push(kind, operands).map_err(Invalid::Refused)
    }

    /// Says which nodes are the results, as [`Program::set_outputs`].
    ///
    /// # Errors
    /// [`Invalid`], with the place of the output; then the program is as it was.
    pub fn set_outputs_checked(&mut self, outputs: Vec<NodeId>) -> Result<(), (usize, Invalid)> {
        for (place, &node) in outputs.iter().enumerate() {
            if node as usize >= self.len() {
                return Err((place, Invalid::NoNode(node)));
            }
            self.expect_number(node).map_err(|invalid| (place, invalid))?;
        }
        self.set_outputs(outputs);
        Ok(())
    }

    fn expect_number(&self, node: NodeId) -> Result<(), Invalid> {
        if self.is_condition(node) { Err(Invalid::IsCondition(node)) } else { Ok(()) }
    }

    /// A condition, or a known one: 1 or 0.
    fn expect_truth(&self, node: NodeId) -> Result<(), Invalid> {
        let is_known = matches!(self.kind(node), Kind::Constant(truth) if truth == 0.0 || truth == 1.0);
        if is_known || self.is_condition(node) { Ok(()) } else { Err(Invalid::IsNoCondition(node)) }
    }
}

impl Predicate {
    /// Every predicate.
    pub const ALL: [Self; 9] = [
        Self::Less,
        Self::LessEqual,
        Self::Equal,
        Self::IsReal,
        Self::IsInfinite,
        Self::IsPhi,
        Self::And,
        Self::Or,
        Self::Not,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Argument;
    use crate::reduce::Reduction;

    fn program() -> Program {
        let argument = |per_sample| Argument { name: "x".into(), shape: vec![], per_sample };
        let mut program = Program::new(vec![argument(true), argument(false)]);
        assert_eq!(program.push_checked(Kind::Constant(2.0), &[]), Ok(2));
        assert_eq!(program.push_checked(Kind::Condition(Predicate::Less), &[0, 2]), Ok(3));
        assert_eq!(program.push_checked(Kind::Constant(1.0), &[]), Ok(4));
        program
    }

    #[test]
    fn what_tracing_records_is_appended() {
        let mut program = program();
        for (kind, operands) in [
            (Kind::Elementwise(Op::Div), &[0, 1][..]),
            (Kind::Elementwise(Op::Sqrt), &[0]),
            (Kind::Power(-3), &[5]),
            (Kind::Fold(Op::Sum, Reduction::DropNull), &[0, 0, 1, 6]),
            (Kind::Condition(Predicate::And), &[3, 4]),
            (Kind::Condition(Predicate::Not), &[9]),
            (Kind::Select, &[10, 0, 8]),
        ] {
            let next = program.len() as NodeId;
            assert_eq!(program.push_checked(kind, operands), Ok(next), "{kind:?}");
        }
        assert_eq!(program.set_outputs_checked(vec![11, 0]), Ok(()));
        assert_eq!(program.outputs(), [11, 0]);
    }

    #[test]
    fn what_it_cannot_record_is_refused() {
        for (kind, operands, invalid) in [
            (Kind::Elementwise(Op::Add), &[0, 5][..], Invalid::NoNode(5)),
            (Kind::Elementwise(Op::Add), &[0], Invalid::Count { expected: Some(2), given: 1 }),
            (Kind::Elementwise(Op::Sin), &[0, 1], Invalid::Count { expected: Some(1), given: 2 }),
            (Kind::Elementwise(Op::PowInt), &[0], Invalid::Op(Op::PowInt)),
            (Kind::Elementwise(Op::Sum), &[0], Invalid::Op(Op::Sum)),
            (Kind::Elementwise(Op::Parameter), &[], Invalid::Op(Op::Parameter)),
            (Kind::Elementwise(Op::Gradients), &[0], Invalid::Op(Op::Gradients)),
            (Kind::Fold(Op::Mul, Reduction::Strict), &[0, 1], Invalid::Op(Op::Mul)),
            (Kind::Fold(Op::Sum, Reduction::Strict), &[], Invalid::Count { expected: None, given: 0 }),
            (Kind::Power(i32::MIN), &[0], Invalid::Exponent(i32::MIN)),
            (Kind::Constant(1.0), &[0], Invalid::Count { expected: Some(0), given: 1 }),
            (Kind::Argument(0), &[], Invalid::Argument),
            (Kind::Elementwise(Op::Mul), &[0, 3], Invalid::IsCondition(3)),
            (Kind::Condition(Predicate::Equal), &[3, 0], Invalid::IsCondition(3)),
            (Kind::Condition(Predicate::And), &[3, 2], Invalid::IsNoCondition(2)),
            (Kind::Condition(Predicate::Not), &[0], Invalid::IsNoCondition(0)),
            (Kind::Select, &[4, 0, 1], Invalid::IsNoCondition(4)),
            (Kind::Select, &[3, 0, 3], Invalid::IsCondition(3)),
        ] {
            let mut program = program();
            assert_eq!(program.push_checked(kind, operands), Err(invalid), "{kind:?} {operands:?}");
            assert_eq!(program.len(), 5);
        }
        let mut program = program();
        assert_eq!(program.set_outputs_checked(vec![0, 5]), Err((1, Invalid::NoNode(5))));
        assert_eq!(program.set_outputs_checked(vec![3]), Err((0, Invalid::IsCondition(3))));
        assert!(program.outputs().is_empty());
    }
}
