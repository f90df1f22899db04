//! Random programs, and what is asked of them.

use super::Function;
use super::cases::SPECIALS;
use proptest::prelude::*;
use proptest::sample::select;
use zeroproof::batch::{Directional, Kind, NodeId, Predicate, Product, Request, Total};
use zeroproof::op::Arity;
use zeroproof::{Op, Reduction};

/// One node of a random program; operands are counted back from the newest node, modulo what is there.
#[derive(Clone, Debug)]
pub enum Step {
    Constant(f64),
    Unary(Op, usize),
    Binary(Op, [usize; 2]),
    Power(i32, usize),
    RealPower(f64, usize),
    Fold(Op, Reduction, Vec<usize>),
    Compare(Predicate, [usize; 2]),
    Combine(Predicate, [usize; 2]),
    Select(usize, [usize; 2]),
    /// By Horner's rule: the variable, the coefficients with the highest first, and whether the operands of
    /// products and sums stand the other way round.
    Polynomial(usize, Vec<Coefficient>, [bool; 2]),
    /// The sum of the products of pairs.
    Products(Vec<[usize; 2]>),
}

#[derive(Clone, Debug)]
pub enum Coefficient {
    Number(f64),
    Node(usize),
}

/// An operand: mostly one of the newest nodes.
fn back() -> impl Strategy<Value = usize> {
    prop_oneof![2 => 0..3usize, 2 => 0..8usize, 1 => 0..40usize]
}

fn ops_of(arity: Arity) -> Vec<Op> {
    Op::ALL.iter().copied().filter(|op| op.arity() == arity).collect()
}

/// A step; `choices` says how often there are conditions and selections.
pub fn step(choices: u32) -> impl Strategy<Value = Step> {
    use Predicate::{And, Equal, IsInfinite, IsPhi, IsReal, Less, LessEqual, Not, Or};
    let constant = prop_oneof![select(SPECIALS.to_vec()), -3.0..3.0, Just(2.0), Just(0.5)];
    let two = || [back(), back()];
    let some = |most| prop::collection::vec(back(), 0..most);
    let coefficient = prop_oneof![
        3 => (-3.0..3.0).prop_map(Coefficient::Number),
        1 => back().prop_map(Coefficient::Node),
    ];
    // An exponent that varies leaves every sample to the exact rules; so mostly it does not.
    let plain: Vec<_> = ops_of(Arity::Binary).into_iter().filter(|&op| op != Op::Pow).collect();
    let exponent = prop_oneof![select(vec![0.5, -0.5, 2.0, -1.0, -1.5, 1.0 / 3.0]), -4.0..4.0];
    let compared = select(vec![Less, LessEqual, Equal, IsReal, IsInfinite, IsPhi]);
    prop_oneof![
        4 => constant.prop_map(Step::Constant),
        16 => (select(ops_of(Arity::Unary)), back()).prop_map(|(op, a)| Step::Unary(op, a)),
        32 => (select(plain), two()).prop_map(|(op, ab)| Step::Binary(op, ab)),
        6 => (-5..=9, back()).prop_map(|(n, a)| Step::Power(n, a)),
        4 => (exponent, back()).prop_map(|(b, a)| Step::RealPower(b, a)),
        1 => two().prop_map(|ab| Step::Binary(Op::Pow, ab)),
        6 => (select(ops_of(Arity::Variadic)), select(Reduction::ALL.to_vec()), some(5))
            .prop_map(|(op, mode, inputs)| Step::Fold(op, mode, inputs)),
        3 => (back(), prop::collection::vec(coefficient, 1..6), any::<[bool; 2]>()).prop_map(|(x, all, turned)| Step::Polynomial(x, all, turned)),
        2 => prop::collection::vec(two(), 1..4).prop_map(Step::Products),
        choices => (compared, two()).prop_map(|(predicate, ab)| Step::Compare(predicate, ab)),
        choices => (select(vec![And, Or, Not]), two()).prop_map(|(predicate, ab)| Step::Combine(predicate, ab)),
        2 * choices => (back(), two()).prop_map(|(condition, ab)| Step::Select(condition, ab)),
    ]
}

/// A request in terms of what every program has.
#[derive(Clone, Debug)]
enum Asked {
    Values,
    Gradient(Option<Total>),
    Jacobian,
    Pullback(Option<Total>),
    Derivatives,
    Derivative(Total),
    Product(Product, Option<Total>),
    Hessian(Option<Total>),
}

/// A random program and what is asked of it.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// By argument: how many numbers a sample sees, `None` for a number alone; whether every sample has
    /// its own; whether it is a source.
    pub arguments: Vec<(Option<usize>, bool, bool)>,
    steps: Vec<Step>,
    outputs: Vec<usize>,
    coordinate: Option<usize>,
    asked: Asked,
}

/// A random program of which values or first derivatives are asked.
pub fn recipe(choices: u32) -> impl Strategy<Value = Recipe> {
    recipe_of(choices, first_order())
}

fn first_order() -> impl Strategy<Value = Asked> {
    prop_oneof![
        1 => Just(Asked::Values),
        4 => Just(Asked::Gradient(None)),
        2 => Just(Asked::Gradient(Some(Total::Sum))),
        2 => Just(Asked::Gradient(Some(Total::Mean))),
        3 => Just(Asked::Jacobian),
        4 => Just(Asked::Pullback(None)),
        1 => select(vec![Total::Sum, Total::Mean]).prop_map(|total| Asked::Pullback(Some(total))),
    ]
}

/// One of which derivatives along a direction are asked, or second ones.
pub fn directional_recipe(choices: u32) -> impl Strategy<Value = Recipe> {
    recipe_of(choices, second_order())
}

fn second_order() -> impl Strategy<Value = Asked> {
    let total = || prop_oneof![2 => Just(None), 1 => Just(Some(Total::Sum)), 1 => Just(Some(Total::Mean))];
    prop_oneof![
        3 => Just(Asked::Derivatives),
        1 => select(vec![Total::Sum, Total::Mean]).prop_map(Asked::Derivative),
        4 => total().prop_map(|total| Asked::Product(Product::Jacobian, total)),
        4 => total().prop_map(|total| Asked::Product(Product::Transposed, total)),
        4 => total().prop_map(Asked::Hessian),
    ]
}

fn recipe_of(choices: u32, asked: impl Strategy<Value = Asked>) -> impl Strategy<Value = Recipe> {
    let steps = prop::collection::vec(step(choices), 1..=25);
    (frame_of(asked), steps).prop_map(|(frame, steps)| frame.with_steps(steps))
}

/// A program that has no steps yet, of which anything may be asked.
pub fn frame() -> impl Strategy<Value = Recipe> {
    frame_of(prop_oneof![first_order(), second_order()])
}

fn frame_of(asked: impl Strategy<Value = Asked>) -> impl Strategy<Value = Recipe> {
    let width = prop_oneof![3 => Just(None), 1 => (0..4usize).prop_map(Some)];
    let argument = (width, prop::bool::weighted(0.75), prop::bool::weighted(0.75));
    let outputs = prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0..30usize], 1..4);
    (prop::collection::vec(argument, 1..5), outputs, prop::option::weighted(0.7, 0..4usize), asked).prop_map(
        |(arguments, outputs, coordinate, asked)| Recipe {
            arguments,
            steps: vec![],
            outputs,
            coordinate,
            asked,
        },
    )
}

/// A program under construction, and the nodes that later ones may use.
struct Construction {
    function: Function,
    numbers: Vec<NodeId>,
    conditions: Vec<NodeId>,
}

impl Construction {
    fn number(&self, back: usize) -> NodeId {
        self.numbers[self.numbers.len() - 1 - back % self.numbers.len()]
    }

    fn condition(&self, back: usize) -> NodeId {
        self.conditions[self.conditions.len() - 1 - back % self.conditions.len()]
    }

    fn coefficient(&mut self, coefficient: &Coefficient) -> NodeId {
        match *coefficient {
            Coefficient::Number(value) => self.function.push(Kind::Constant(value), &[]),
            Coefficient::Node(back) => self.number(back),
        }
    }

    /// Appends a number.
    fn push(&mut self, kind: Kind, operands: &[NodeId]) -> NodeId {
        let node = self.function.push(kind, operands);
        self.numbers.push(node);
        node
    }

    /// Appends `op` of two operands, in this order or turned.
    fn push_turned(&mut self, op: Op, [a, b]: [NodeId; 2], turned: bool) -> NodeId {
        self.push(Kind::Elementwise(op), &if turned { [b, a] } else { [a, b] })
    }

    fn append(&mut self, step: &Step) {
        match step {
            Step::Constant(value) => self.push(Kind::Constant(*value), &[]),
            Step::Unary(op, a) => self.push(Kind::Elementwise(*op), &[self.number(*a)]),
            Step::Binary(op, ab) => self.push(Kind::Elementwise(*op), &ab.map(|back| self.number(back))),
            Step::Power(n, a) => self.push(Kind::Power(*n), &[self.number(*a)]),
            Step::RealPower(exponent, a) => {
                let base = self.number(*a);
                let exponent = self.function.push(Kind::Constant(*exponent), &[]);
                self.push(Kind::Elementwise(Op::Pow), &[base, exponent])
            }
            Step::Fold(op, mode, inputs) => {
                let inputs: Vec<_> = inputs.iter().map(|&back| self.number(back)).collect();
                self.push(Kind::Fold(*op, *mode), &inputs)
            }
            Step::Select(chosen, [a, b]) => {
                let operands = [self.condition(*chosen), self.number(*a), self.number(*b)];
                self.push(Kind::Select, &operands)
            }
            Step::Polynomial(x, coefficients, turned) => {
                let x = self.number(*x);
                let mut sum = self.coefficient(&coefficients[0]);
                for coefficient in &coefficients[1..] {
                    let coefficient = self.coefficient(coefficient);
                    let product = self.push_turned(Op::Mul, [x, sum], turned[0]);
                    sum = self.push_turned(Op::Add, [coefficient, product], turned[1]);
                }
                sum
            }
            Step::Products(pairs) => {
                let pairs: Vec<_> = pairs.iter().map(|pair| pair.map(|back| self.number(back))).collect();
                let products = pairs.into_iter().map(|pair| self.push(Kind::Elementwise(Op::Mul), &pair));
                let products: Vec<_> = products.collect();
                products[1..]
                    .iter()
                    .fold(products[0], |sum, &next| self.push(Kind::Elementwise(Op::Add), &[sum, next]))
            }
            Step::Compare(predicate, ab) => self.decide(*predicate, ab.map(|back| self.number(back))),
            Step::Combine(predicate, ab) => self.decide(*predicate, ab.map(|back| self.condition(back))),
        };
    }

    /// Appends a condition.
    fn decide(&mut self, predicate: Predicate, operands: [NodeId; 2]) -> NodeId {
        let condition = self.function.push(Kind::Condition(predicate), &operands[..predicate.operands()]);
        self.conditions.push(condition);
        condition
    }
}

impl Recipe {
    /// The same program with other steps.
    pub fn with_steps(self, steps: Vec<Step>) -> Self {
        Self { steps, ..self }
    }

    pub fn function(&self) -> Function {
        let shapes: Vec<Vec<usize>> =
            self.arguments.iter().map(|(width, ..)| width.iter().copied().collect()).collect();
        let arguments: Vec<(&[usize], bool)> = shapes
            .iter()
            .zip(&self.arguments)
            .map(|(shape, &(_, per_sample, _))| (&shape[..], per_sample))
            .collect();
        let mut function = Function::new(&arguments);
        let elements: usize = (0..arguments.len()).map(|argument| function.width(argument)).sum();
        let mut numbers: Vec<NodeId> = (0..elements as NodeId).collect();
        // Something to begin with where no argument has an element, and a condition that is known.
        numbers.push(function.push(Kind::Constant(1.5), &[]));
        let conditions = vec![function.push(Kind::Constant(1.0), &[])];
        let mut construction = Construction { function, numbers, conditions };
        self.steps.iter().for_each(|step| construction.append(step));
        let outputs = match self.asked {
            Asked::Values | Asked::Jacobian | Asked::Pullback(None) | Asked::Derivatives => &self.outputs[..],
            _ => &self.outputs[..1],
        };
        let outputs: Vec<_> = outputs.iter().map(|&back| construction.number(back)).collect();
        construction.function.returns(&outputs)
    }

    pub fn request(&self) -> Request {
        // A total of Hessians is one of shared arguments.
        let only_shared = matches!(self.asked, Asked::Hessian(Some(_)));
        let sources: Vec<_> = self
            .arguments
            .iter()
            .enumerate()
            .filter(|&(_, &(_, per_sample, source))| source && !(only_shared && per_sample))
            .map(|(number, _)| number)
            .collect();
        let coordinate = self.coordinate.filter(|&number| number < self.arguments.len());
        match self.asked {
            Asked::Values => Request::Values,
            Asked::Gradient(total) => Request::Gradient { sources, coordinate, total },
            Asked::Jacobian => Request::Jacobian { sources, coordinate },
            Asked::Pullback(total) => Request::Pullback { sources, coordinate, total },
            Asked::Derivatives => {
                // Two arrays if there are several outputs.
                let rest = self.outputs.len() - 1;
                let widths = if rest > 0 { vec![1, rest] } else { vec![1] };
                let what = Directional::Derivative { widths };
                Request::Directional { what, sources, coordinate, total: None }
            }
            Asked::Derivative(total) => {
                let what = Directional::Derivative { widths: vec![1] };
                Request::Directional { what, sources, coordinate, total: Some(total) }
            }
            Asked::Product(product, total) => {
                Request::Directional { what: Directional::Product(product), sources, coordinate, total }
            }
            Asked::Hessian(total) => {
                Request::Directional { what: Directional::Hessian, sources, coordinate, total }
            }
        }
    }
}
