//! What follows from a program and a request alone.

use crate::batch::program::{Kind, NodeId, Program};
use crate::op::{Op, PoleAt};
use crate::reduce::Reduction;

/// Facts about the nodes of a program.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// An output depends on it.
    pub needed: Vec<bool>,
    /// It may differ from sample to sample.
    pub varying: Vec<bool>,
    /// Gradients flow through it to a source.
    pub active: Vec<bool>,
    /// It depends on a coordinate.
    pub on_coordinate: Vec<bool>,
    /// How often it is an operand of something needed.
    pub uses: Vec<u32>,
}

impl Analysis {
    /// Of a program whose derivatives by the elements of `sources` are asked for.
    pub fn new(program: &Program, sources: &[usize], coordinate: Option<usize>) -> Self {
        let nodes = program.len();
        let mut facts = Self {
            needed: vec![false; nodes],
            varying: vec![false; nodes],
            active: vec![false; nodes],
            on_coordinate: vec![false; nodes],
            uses: vec![0; nodes],
        };
        for (number, argument) in program.arguments().iter().enumerate() {
            let range = program.elements(number);
            let range = range.start as usize..range.end as usize;
            facts.varying[range.clone()].fill(argument.per_sample);
            facts.active[range.clone()].fill(sources.contains(&number));
            facts.on_coordinate[range].fill(coordinate == Some(number));
        }
        for node in 0..nodes {
            let all = program.operands(node as NodeId);
            facts.varying[node] |= all.iter().any(|&o| facts.varying[o as usize]);
            let differentiable = differentiable(program.kind(node as NodeId), all);
            facts.active[node] |= differentiable.iter().any(|&o| facts.active[o as usize]);
            facts.on_coordinate[node] |= differentiable.iter().any(|&o| facts.on_coordinate[o as usize]);
        }
        for &output in program.outputs() {
            facts.needed[output as usize] = true;
        }
        for node in (0..nodes).rev() {
            if facts.needed[node] {
                for &operand in program.operands(node as NodeId) {
                    facts.needed[operand as usize] = true;
                    facts.uses[operand as usize] += 1;
                }
            }
        }
        facts
    }

    /// Whether a condition chooses the way of some gradient, or of the dependence on a coordinate.
    pub fn selects(&self, program: &Program) -> bool {
        (0..program.len()).any(|node| {
            let matters = self.active[node] || self.on_coordinate[node];
            self.needed[node] && matters && program.kind(node as NodeId) == Kind::Select
        })
    }

    /// Whether numbers that differ from call to call or from sample to sample say which ops on the way of a
    /// gradient are singular.
    pub fn has_undecided_poles(&self, program: &Program) -> bool {
        (0..program.len()).any(|node| {
            self.needed[node] && self.active[node] && pole(program, node as NodeId) == Pole::Undecided
        })
    }
}

/// The operands that gradients flow to, activity permitting.
pub(crate) fn differentiable(kind: Kind, operands: &[NodeId]) -> &[NodeId] {
    match kind {
        Kind::Condition(_) => &[],
        Kind::Select => &operands[1..],
        _ => operands,
    }
}

/// Whether a value that is not REAL at this operand makes one that is not REAL.
pub(crate) fn propagates(kind: Kind, place: usize) -> bool {
    let op_propagates = |op: Op| op.facts().is_some_and(|facts| facts.propagates(place));
    match kind {
        Kind::Elementwise(op) => op_propagates(op),
        Kind::Power(n) => n >= 0 && op_propagates(Op::PowInt),
        Kind::Fold(op, mode) => {
            mode == Reduction::Strict && op.facts().is_some_and(|facts| facts.propagates(0))
        }
        Kind::Constant(_) | Kind::Argument(_) | Kind::Condition(_) | Kind::Select => false,
    }
}

/// The pole of a node at a REAL operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pole {
    None,
    /// Where this operand is 0.
    Operand(usize),
    /// Where a distance is 0 that is worked out from the operands.
    Distance,
    /// Whether there is one depends on an exponent that is no constant of the program.
    Undecided,
}

/// Whether and where the node is singular.
pub(crate) fn pole(program: &Program, node: NodeId) -> Pole {
    let by_exponent = |op: Op, n: f64| if op.pole(1.0, n).is_some() { Pole::Operand(0) } else { Pole::None };
    match program.kind(node) {
        Kind::Power(n) => by_exponent(Op::PowInt, f64::from(n)),
        Kind::Elementwise(op) => match op.singular().map(|pole| pole.at) {
            None => Pole::None,
            Some(PoleAt::Operand(place)) => Pole::Operand(place),
            Some(PoleAt::Computed) => Pole::Distance,
            Some(PoleAt::BaseByExponent) => match program.kind(program.operands(node)[1]) {
                Kind::Constant(exponent) => by_exponent(op, exponent),
                _ => Pole::Undecided,
            },
        },
        Kind::Constant(_) | Kind::Argument(_) | Kind::Fold(..) | Kind::Condition(_) | Kind::Select => {
            Pole::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::propagates;
    use crate::batch::program::Kind;
    use crate::op::{Arity, Op};
    use crate::reduce::Reduction;

    const VALUES: [f64; 10] =
        [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 5e-324, 0.5, 1.0, 1.7e308, f64::INFINITY, f64::NAN];

    /// The value of a node, and its operands.
    fn cases(op: Op) -> Vec<(Kind, [f64; 2], f64)> {
        let pairs = VALUES.iter().flat_map(|&a| VALUES.map(|b| [a, b]));
        let case = |[a, b]: [f64; 2]| match op.arity() {
            Arity::Leaf | Arity::Alias | Arity::Gradients | Arity::Gradient => vec![],
            Arity::Power => {
                [0, 1, 2, 3, 10].map(|n| (Kind::Power(n), [a, 0.0], op.value(a, f64::from(n)))).to_vec()
            }
            Arity::Unary => vec![(Kind::Elementwise(op), [a, 0.0], op.value(a, 0.0))],
            Arity::Binary => vec![(Kind::Elementwise(op), [a, b], op.value(a, b))],
            Arity::Variadic => {
                let kinds = Reduction::ALL.map(|mode| (mode, Kind::Fold(op, mode)));
                kinds.map(|(mode, kind)| (kind, [a, b], mode.fold(op, [a, b].into_iter()))).to_vec()
            }
        };
        pairs.flat_map(case).collect()
    }

    #[test]
    fn what_is_not_real_shows_where_it_is_said_to() {
        for arity in [Arity::Unary, Arity::Power, Arity::Binary, Arity::Variadic] {
            let (ops, mut claims) = (Op::ALL.iter().filter(|op| op.arity() == arity), 0);
            for (kind, operands, value) in ops.flat_map(|&op| cases(op)) {
                for (place, operand) in operands.into_iter().enumerate() {
                    if propagates(kind, place) && !operand.is_finite() {
                        claims += 1;
                        assert!(!value.is_finite(), "{kind:?} of {operands:?} is {value}");
                    }
                }
            }
            assert!(claims > 10, "{claims} cases of {arity:?}");
        }
    }
}
