//! The functions of `batched.rs` as programs, as they would be traced.

use crate::hand_fused::FOREARM;
use zeroproof::Op;
use zeroproof::batch::{Argument, Kind, NodeId, Program};

/// A function under construction.
struct Function(Program);

impl Function {
    fn new(arguments: &[(&str, &[usize])]) -> Self {
        let argument = |&(name, shape): &(&str, &[usize])| Argument {
            name: name.to_owned(),
            shape: shape.to_vec(),
            per_sample: shape.is_empty(),
        };
        Self(Program::new(arguments.iter().map(argument).collect()))
    }

    fn op(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        self.0.push(Kind::Elementwise(op), operands)
    }

    fn constant(&mut self, value: f64) -> NodeId {
        self.0.push(Kind::Constant(value), &[])
    }

    fn square(&mut self, x: NodeId) -> NodeId {
        self.0.push(Kind::Power(2), &[x])
    }

    fn horner(&mut self, coefficients: &[NodeId], x: NodeId) -> NodeId {
        let (&last, others) = coefficients.split_last().expect("a polynomial");
        others.iter().rev().fold(last, |y, &c| {
            let product = self.op(Op::Mul, &[x, y]);
            self.op(Op::Add, &[c, product])
        })
    }

    fn returns(mut self, output: NodeId) -> Program {
        self.0.set_outputs(vec![output]);
        self.0
    }
}

/// `(p(x)/q(x) − t)²`.
pub fn rational() -> Program {
    let mut f = Function::new(&[("theta", &[4]), ("phi", &[3]), ("x", &[]), ("t", &[])]);
    let [x, t] = [7, 8];
    let one = f.constant(1.0);
    let p = f.horner(&[0, 1, 2, 3], x);
    let q = f.horner(&[one, 4, 5, 6], x);
    let quotient = f.op(Op::Div, &[p, q]);
    let distance = f.op(Op::Sub, &[quotient, t]);
    let loss = f.square(distance);
    f.returns(loss)
}

/// The squared distance of the arm's tip from a target, over the sine of the elbow angle.
pub fn arm() -> Program {
    let mut f = Function::new(&[("a", &[]), ("b", &[]), ("tx", &[]), ("ty", &[])]);
    let [a, b, tx, ty] = [0, 1, 2, 3];
    let forearm = f.constant(FOREARM);
    let sum = f.op(Op::Add, &[a, b]);
    let squares = [(Op::Cos, tx), (Op::Sin, ty)].map(|(op, target)| {
        let upper = f.op(op, &[a]);
        let direction = f.op(op, &[sum]);
        let lower = f.op(Op::Mul, &[forearm, direction]);
        let tip = f.op(Op::Add, &[upper, lower]);
        let distance = f.op(Op::Sub, &[tip, target]);
        f.square(distance)
    });
    let numerator = f.op(Op::Add, &squares);
    let denominator = f.op(Op::Sin, &[b]);
    let loss = f.op(Op::Div, &[numerator, denominator]);
    f.returns(loss)
}
