//! The third walk, downward: adjoints, and how they change with the direction; or adjoints of values.

use super::super::policies::Rule;
use super::rows::{Row, Rows, flag};
use super::rules::Rules;
use super::{Pass, Product};
use crate::graph::{Graph, Node, Operands};
use crate::op::curvature::{Coupled, Curved, CurvedVariadic, Entries, Wide, term, wide_term};
use crate::op::{Arity, Form, Variadic};
use crate::status::Status;

const NO_ENTRIES: Coupled = [false; 4];

/// What arrived at a node.
#[derive(Clone, Copy)]
struct Arrived<const K: usize> {
    g: f64,
    /// The flags of the adjoint.
    first: u8,
    second: [f64; K],
    status: [u8; K],
}

/// The entries of a node.
#[derive(Clone, Copy)]
enum Matrix {
    Fast([f64; 4]),
    Wide([Wide; 4]),
}

impl Matrix {
    #[inline(always)]
    fn of(entries: impl Entries) -> Self {
        match entries.fast() {
            (matrix, true) => Self::Fast(matrix),
            _ => Self::Wide(entries.wide()),
        }
    }

    #[inline(always)]
    fn term(&self, g: f64, t: f64, place: usize) -> f64 {
        match self {
            Self::Fast(matrix) => term(g, t, matrix[place]),
            Self::Wide(matrix) => wide_term(g, t, matrix[place]),
        }
    }
}

/// A node's operands: where they are, and their values.
struct Inputs<const K: usize> {
    links: [usize; 2],
    values: [f64; 3],
    active: [bool; 2],
    tangents: [[f64; K]; 2],
    moves: [[u8; K]; 2],
}

impl<const K: usize> Rows<K> {
    /// Sweeps. Returns how many contributions and terms were left out.
    pub(super) fn descend(&mut self, pass: &Pass, rules: &mut Rules) -> u64 {
        let mut dropped = self.start(pass);
        let transposed = pass.product == Product::Transposed;
        for place in 0..self.reached.len() {
            let index = self.reached[place] as usize;
            let row = &self.rows[index];
            if row.mark & (flag::ACTIVE | flag::REACHED) != flag::ACTIVE | flag::REACHED {
                continue;
            }
            let node = pass.graph.nodes[index];
            let at = Arrived {
                g: if row.mark & flag::RECEIVED != 0 { row.adjoint } else { 0.0 },
                first: row.mark & flag::STATUS,
                second: row.second,
                status: row.status,
            };
            with_elementwise!(node.op, O => {
                dropped += self.descend_elementwise::<O>(pass.graph, index, &node, at, transposed, rules);
            }, else {
                with_variadic!(node.op, O => {
                    dropped += self.descend_variadic::<O>(pass.graph, &node, at, transposed, rules);
                }, else {})
            });
        }
        dropped
    }

    /// The root's adjoint is its first contribution.
    fn start(&mut self, pass: &Pass) -> u64 {
        let Some(row) = self.rows.get_mut(pass.root as usize).filter(|row| row.is_active()) else { return 0 };
        row.mark |= flag::REACHED;
        if pass.seed.is_finite() {
            row.adjoint = pass.seed;
            row.mark |= flag::RECEIVED;
            return 0;
        }
        row.mark |= Status::DROPPED.bits();
        1
    }

    #[cfg_attr(debug_assertions, inline(never))]
    fn descend_elementwise<O: Curved>(
        &mut self,
        graph: &Graph,
        index: usize,
        node: &Node,
        at: Arrived<K>,
        transposed: bool,
        rules: &mut Rules,
    ) -> u64 {
        let [a, b] = node.links.map(|link| link as usize);
        let (left, right) =
            (&self.rows[a], if O::ARITY == Arity::Binary { &self.rows[b] } else { &const { Row::NEW } });
        let y = match O::ARITY {
            Arity::Binary => graph.nodes[b].value,
            Arity::Power => f64::from(b as i32),
            _ => 0.0,
        };
        let inputs = Inputs {
            links: [a, b],
            values: [graph.nodes[a].value, y, node.value],
            active: [left.is_active(), right.is_active()],
            tangents: [left.tangents, right.tangents],
            moves: [left.moves, right.moves],
        };
        let [x, y, z] = inputs.values;
        match rules.rule::<O>(index, x, y, z) {
            Rule::Silence => {
                rules.masked += 1;
                for place in 0..2 {
                    if inputs.active[place] {
                        let row = &mut self.rows[inputs.links[place]];
                        row.mark |= flag::REACHED | at.first | Status::MASKED.bits();
                        for lane in 0..K {
                            row.status[lane] |= at.status[lane] | Status::MASKED.bits();
                        }
                    }
                }
                0
            }
            Rule::Classical => {
                let partials = |g: f64| O::classical(g, x, y, z).full();
                let matrix = if O::COUPLED == NO_ENTRIES {
                    Matrix::Fast([0.0; 4])
                } else {
                    Matrix::of(O::curvature(x, y, z))
                };
                self.pass_on::<O>(&inputs, at, transposed, partials, partials, matrix)
            }
            Rule::Bounded(bound) => {
                let partials = |g: f64| O::bounded(g, x, y, z, bound).full();
                let of_values = |g: f64| O::classical(g, x, y, z).full();
                let matrix = Matrix::of(O::bounded_curvature(x, y, z, bound));
                let saturated = Status::SATURATED.bits();
                let at =
                    Arrived { first: at.first | saturated, status: at.status.map(|s| s | saturated), ..at };
                self.pass_on::<O>(&inputs, at, transposed, partials, of_values, matrix)
            }
        }
    }

    /// What a node passes to its operands by `partials`, whose slopes are the matrix; `of_values` are the partials
    /// of its value.
    #[inline(always)]
    fn pass_on<O: Curved>(
        &mut self,
        inputs: &Inputs<K>,
        at: Arrived<K>,
        transposed: bool,
        partials: impl Fn(f64) -> [f64; 2],
        of_values: impl Fn(f64) -> [f64; 2],
        matrix: Matrix,
    ) -> u64 {
        let contributions = partials(at.g);
        let value_is_real = inputs.values[2].is_finite();
        let mut dropped = 0;
        for place in 0..O::ARITY.operands() {
            if !inputs.active[place] {
                continue;
            }
            let row = &mut self.rows[inputs.links[place]];
            let kept = receive(row, contributions[place], at);
            dropped += u64::from(!kept && at.g != 0.0);
            let operand_is_real = inputs.values[place].is_finite();
            for lane in 0..K {
                row.status[lane] |= at.status[lane];
                if transposed && !(operand_is_real && value_is_real) {
                    row.status[lane] |= Status::MASKED.bits();
                }
                // What first order left out is a constant.
                let passes = if transposed { value_is_real && operand_is_real } else { kept };
                if passes {
                    let change = at.second[lane];
                    let term = if transposed { of_values(change) } else { partials(change) }[place];
                    dropped += add(row, lane, term, change == 0.0);
                }
                for other in 0..O::ARITY.operands() {
                    let (i, j) = if transposed { (other, place) } else { (place, other) };
                    let moves = inputs.moves[other][lane];
                    let kept = contributions[i].is_finite();
                    let entry = 2 * i + j;
                    if !O::COUPLED[entry] || !inputs.active[other] || moves & flag::MOVES == 0 {
                        continue;
                    }
                    row.status[lane] |= moves & flag::STATUS;
                    if !kept || (transposed && !operand_is_real) {
                        continue;
                    }
                    let t = inputs.tangents[other][lane];
                    let term = matrix.term(at.g, t, entry);
                    dropped += add(row, lane, term, at.g == 0.0 || t == 0.0);
                }
            }
        }
        dropped
    }

    #[inline(never)]
    fn descend_variadic<O: Variadic + CurvedVariadic>(
        &mut self,
        graph: &Graph,
        node: &Node,
        at: Arrived<K>,
        transposed: bool,
        rules: &mut Rules,
    ) -> u64 {
        let Operands::List(inputs, mode) = node.operands(&graph.lists) else { return 0 };
        let values = inputs.iter().map(|&input| graph.nodes[input as usize].value);
        let silent = matches!(rules.rule_without_pole(node.value), Rule::Silence);
        rules.masked += u64::from(silent);
        let shared = O::shared(mode.kept(values.clone()), node.value);
        let value_is_real = node.value.is_finite();
        let mut dropped = 0;
        for (&input, x) in inputs.iter().zip(values.clone()) {
            let row = &mut self.rows[input as usize];
            if !row.is_active() {
                continue;
            }
            if silent || !mode.keeps(x) {
                row.mark |= flag::REACHED | at.first | Status::MASKED.bits();
                (0..K).for_each(|lane| row.status[lane] |= at.status[lane] | Status::MASKED.bits());
                continue;
            }
            let kept = receive(row, O::share(at.g, x, shared).full(), at);
            dropped += u64::from(!kept && at.g != 0.0);
            let passes = if transposed { value_is_real && x.is_finite() } else { kept };
            for lane in 0..K {
                row.status[lane] |= at.status[lane];
                if transposed && !passes {
                    row.status[lane] |= Status::MASKED.bits();
                }
                if passes {
                    let change = at.second[lane];
                    dropped += add(row, lane, O::share(change, x, shared).full(), change == 0.0);
                }
            }
        }
        if O::FLAT || silent {
            return dropped;
        }
        let mut lists = std::mem::take(&mut self.lists);
        for lane in 0..K {
            let (mut moves, mut weighs) = (0, false);
            lists.inputs.clear();
            lists.tangents.clear();
            lists.bends.clear();
            for (&input, x) in inputs.iter().zip(values.clone()).filter(|(_, x)| mode.keeps(*x)) {
                let row = &self.rows[input as usize];
                let is_moved = row.is_active() && row.moves[lane] & flag::MOVES != 0;
                lists.inputs.push(x);
                lists.tangents.push(if is_moved { row.tangents[lane] } else { 0.0 });
                moves |= if row.is_active() { row.moves[lane] } else { 0 };
                weighs |= is_moved;
            }
            if !weighs {
                continue;
            }
            O::curvature(&lists.inputs, &lists.tangents, &mut lists.bends);
            let kept = inputs.iter().zip(values.clone()).filter(|(_, x)| mode.keeps(*x));
            for ((&input, x), &bend) in kept.zip(&lists.bends) {
                let row = &mut self.rows[input as usize];
                if !row.is_active() {
                    continue;
                }
                row.status[lane] |= moves & flag::STATUS;
                let passes =
                    if transposed { x.is_finite() } else { O::share(at.g, x, shared).full().is_finite() };
                if passes {
                    dropped += add(row, lane, wide_term(at.g, 1.0, bend), at.g == 0.0);
                }
            }
        }
        self.lists = lists;
        dropped
    }
}

/// A contribution to the adjoint, by the rules of first order; whether it was added.
#[inline(always)]
fn receive<const K: usize>(row: &mut Row<K>, contribution: f64, at: Arrived<K>) -> bool {
    row.mark |= flag::REACHED | at.first;
    if contribution.is_finite() {
        row.adjoint += contribution;
        row.mark |= flag::RECEIVED;
        return true;
    }
    if at.g != 0.0 {
        row.mark |= Status::DROPPED.bits();
    }
    false
}

/// Adds a term of second order, if it is REAL; else 1 if it is left out although it has a weight.
#[inline(always)]
fn add<const K: usize>(row: &mut Row<K>, lane: usize, term: f64, has_no_weight: bool) -> u64 {
    if term.is_finite() {
        row.second[lane] += term;
        return 0;
    }
    if has_no_weight {
        return 0;
    }
    row.status[lane] |= Status::DROPPED.bits();
    1
}
