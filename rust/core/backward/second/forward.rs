//! The second walk, upward: tangents, and what leads to a source.

use super::super::policies::Rule;
use super::lanes::{are_finite, contributions};
use super::rows::{Row, Rows, flag};
use super::rules::Rules;
use crate::graph::{Graph, Operands};
use crate::op::curvature::{Curved, tangent_of_quotient};
use crate::op::{Arity, Form, Op, Variadic};
use crate::status::Status;

/// Works out the tangents of the gradients recorded in a row.
pub(super) type OnGradients<'a, const K: usize> = &'a mut dyn FnMut(&mut Rows<K>, usize, &mut Rules);

impl<const K: usize> Rows<K> {
    /// Works out tangents, by the classical partials or by those of a mode. Returns how many terms were left
    /// out. `gradients` works out the tangents of recorded gradients.
    pub(super) fn ascend(
        &mut self,
        graph: &Graph,
        mut rules: Option<&mut Rules>,
        mut gradients: Option<OnGradients<K>>,
    ) -> u64 {
        let mut dropped = 0;
        for place in (0..self.reached.len()).rev() {
            let index = self.reached[place] as usize;
            if self.active(index).is_some_and(|row| row.mark & flag::BOUNDARY != 0) {
                continue;
            }
            let (node, rules) = (&graph.nodes[index], rules.as_deref_mut());
            let left_out = with_elementwise!(node.op, O => self.ascend_elementwise::<O>(graph, index, rules), else {
                with_variadic!(node.op, O => self.ascend_variadic::<O>(graph, index, rules), else {
                    if node.is_alias() {
                        self.ascend_alias(index, node.links[0]);
                    } else if node.op == Op::Gradients
                        && let (Some(gradients), Some(rules)) = (&mut gradients, rules)
                    {
                        gradients(self, index, rules);
                    }
                    0
                })
            });
            dropped += self.leaves_out(index, left_out);
        }
        dropped
    }

    /// An alias moves with the node that it stands for. If it is a source, it moves besides, and contributions
    /// stay there first.
    #[cold]
    fn ascend_alias(&mut self, index: usize, below: u32) {
        let Some(&from) = self.active(below as usize) else { return };
        let mut row = self.begun(index);
        for lane in 0..K {
            row.tangents[lane] += from.tangents[lane];
        }
        row.moves = row.moves.and(from.moves);
        let goes_on = from.target != 0 && from.mark & flag::SOURCE == 0;
        row.target = if goes_on { from.target } else { below + 1 };
        self.rows[index] = row;
    }

    /// The row of a node, with its direction if it is a source.
    fn begun(&self, index: usize) -> Row<K> {
        match &self.rows[index] {
            seeded if seeded.pass == self.pass => *seeded,
            _ => Row { pass: self.pass, ..Row::NEW },
        }
    }

    /// A function for each op: one of all ops takes several times as long to compile.
    #[inline(never)]
    fn ascend_elementwise<O: Curved>(
        &mut self,
        graph: &Graph,
        index: usize,
        rules: Option<&mut Rules>,
    ) -> u64 {
        let node = &graph.nodes[index];
        let [a, b] = [node.links[0] as usize, node.links[1] as usize];
        let left = self.active(a);
        let right = if O::ARITY == Arity::Binary { self.active(b) } else { None };
        let moves = match (left, right) {
            (None, None) => return 0,
            (Some(one), None) | (None, Some(one)) => one.moves,
            (Some(left), Some(right)) => left.moves.and(right.moves),
        };
        let (x, z) = (graph.nodes[a].value, node.value);
        let y = match O::ARITY {
            Arity::Binary => graph.nodes[b].value,
            Arity::Power => f64::from(b as i32),
            _ => 0.0,
        };
        let rule = match rules {
            Some(rules) => {
                let rule = rules.rule::<O>(index, x, y, z);
                rules.masked += u64::from(matches!(rule, Rule::Silence));
                rule
            }
            None if z.is_finite() => Rule::Classical,
            None => Rule::Silence,
        };
        let (left, right) = (left.map(|row| row.tangents), right.map(|row| row.tangents));
        // In place: a row put together elsewhere would be copied before its parts are written.
        let row = self.begin(index);
        row.moves = row.moves.and(moves);
        let mut dropped = 0;
        match rule {
            Rule::Silence => row.moves = row.moves.flagged(Status::MASKED),
            Rule::Bounded(bound) if const { O::POLE.is_some() } => {
                for (place, t) in [left, right].into_iter().enumerate() {
                    if let Some(t) = t {
                        dropped += row.move_by(contributions(t, |t| O::bounded(t, x, y, z, bound))[place], t);
                    }
                }
                row.moves = row.moves.flagged(Status::SATURATED);
            }
            Rule::Classical if O::IS_QUOTIENT => {
                let weights = [left.unwrap_or([0.0; K]), right.unwrap_or([0.0; K])];
                let contributions = move |weight| O::classical(weight, x, y, z).full();
                dropped += row.move_quotient(weights, y, z, contributions);
            }
            Rule::Classical | Rule::Bounded(_) => {
                for (place, t) in [left, right].into_iter().enumerate() {
                    if let Some(t) = t {
                        dropped += row.move_by(contributions(t, |t| O::classical(t, x, y, z))[place], t);
                    }
                }
            }
        }
        dropped
    }

    /// Gives a node that is no source a tangent.
    pub(super) fn set_tangent(&mut self, index: usize, (t, status): (f64, Status)) {
        let row = self.begin(index);
        row.tangents[0] += t;
        row.moves.set(0, flag::MOVES | status.bits());
    }

    /// The row of a node in this pass; a new one, unless the node is a source.
    #[inline(always)]
    fn begin(&mut self, index: usize) -> &mut Row<K> {
        let row = &mut self.rows[index];
        if row.pass != self.pass {
            *row = Row { pass: self.pass, ..Row::NEW };
        }
        row
    }

    #[inline(never)]
    fn ascend_variadic<O: Variadic>(
        &mut self,
        graph: &Graph,
        index: usize,
        rules: Option<&mut Rules>,
    ) -> u64 {
        let node = &graph.nodes[index];
        let Operands::List(inputs, mode) = node.operands(&graph.lists) else { return 0 };
        if !inputs.iter().any(|&input| self.active(input as usize).is_some()) {
            return 0;
        }
        let z = node.value;
        let rule = match rules {
            Some(rules) => {
                let rule = rules.rule_without_pole(z);
                rules.masked += u64::from(matches!(rule, Rule::Silence));
                rule
            }
            None if z.is_finite() => Rule::Classical,
            None => Rule::Silence,
        };
        let values = inputs.iter().map(|&input| graph.nodes[input as usize].value);
        let shared = O::shared(mode.kept(values.clone()), z);
        let mut dropped = 0;
        let mut row = self.begun(index);
        for (&input, x) in inputs.iter().zip(values) {
            let Some(from) = self.active(input as usize) else { continue };
            let is_silent = matches!(rule, Rule::Silence) || !mode.keeps(x);
            row.moves = row.moves.and(from.moves);
            if is_silent {
                row.moves = row.moves.and(from.moves.flagged(Status::MASKED));
                continue;
            }
            for lane in 0..K {
                let t = from.tangents[lane];
                let term = O::share(t, x, shared).full();
                if term.is_finite() {
                    row.tangents[lane] += term;
                } else if t != 0.0 {
                    row.moves.set(lane, Status::DROPPED.bits());
                    dropped += 1;
                }
            }
        }
        self.rows[index] = row;
        dropped
    }
}

impl<const K: usize> Row<K> {
    /// Moves a quotient `z` with divisor `y` along the tangents of its operands. Returns how many contributions were
    /// left out.
    #[inline(always)]
    fn move_quotient(
        &mut self,
        weights: [[f64; K]; 2],
        y: f64,
        z: f64,
        contributions: impl Fn(f64) -> [f64; 2],
    ) -> u64 {
        let (mut terms, mut all_hold) = ([0.0; K], true);
        for lane in 0..K {
            let (term, holds) = tangent_of_quotient(weights.map(|weights| weights[lane]), y, z);
            terms[lane] = if holds { term } else { f64::NAN };
            all_hold &= holds;
        }
        for (sum, term) in self.tangents.iter_mut().zip(terms) {
            *sum += if term.is_nan() { 0.0 } else { term };
        }
        if all_hold { 0 } else { self.move_quotient_by_parts(weights, terms, contributions) }
    }

    /// Adds the contributions of lanes in which they come to no term together.
    #[cold]
    #[inline(never)]
    fn move_quotient_by_parts(
        &mut self,
        weights: [[f64; K]; 2],
        terms: [f64; K],
        contributions: impl Fn(f64) -> [f64; 2],
    ) -> u64 {
        let mut dropped = 0;
        for (place, of_place) in weights.into_iter().enumerate() {
            let (mut parts, mut weights) = ([0.0; K], [0.0; K]);
            for lane in (0..K).filter(|&lane| terms[lane].is_nan()) {
                (parts[lane], weights[lane]) = (contributions(of_place[lane])[place], of_place[lane]);
            }
            dropped += self.move_by(parts, weights);
        }
        dropped
    }

    /// Adds terms of a tangent; how many that are not REAL, and have a weight, are left out.
    #[inline(always)]
    fn move_by(&mut self, terms: [f64; K], weights: [f64; K]) -> u64 {
        if !are_finite(&terms) {
            return self.move_by_some(terms, weights);
        }
        for (sum, term) in self.tangents.iter_mut().zip(terms) {
            *sum += term;
        }
        0
    }

    #[cold]
    #[inline(never)]
    fn move_by_some(&mut self, terms: [f64; K], weights: [f64; K]) -> u64 {
        let mut dropped = 0;
        for lane in 0..K {
            if terms[lane].is_finite() {
                self.tangents[lane] += terms[lane];
            } else if weights[lane] != 0.0 {
                self.moves.set(lane, Status::DROPPED.bits());
                dropped += 1;
            }
        }
        dropped
    }
}
