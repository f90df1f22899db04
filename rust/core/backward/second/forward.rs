//! The second walk, upward: tangents, and what leads to a source.

use super::super::policies::Rule;
use super::lanes::{add, contributions};
use super::rows::{Row, Rows, flag};
use super::rules::Rules;
use crate::graph::{Graph, Operands};
use crate::op::{Arity, Elementwise, Form, Variadic};
use crate::status::Status;

impl<const K: usize> Rows<K> {
    /// Works out tangents, by the classical partials or by those of a mode. Returns how many terms were left
    /// out.
    pub(super) fn ascend(&mut self, graph: &Graph, mut rules: Option<&mut Rules>) -> u64 {
        let mut dropped = 0;
        for place in (0..self.reached.len()).rev() {
            let index = self.reached[place] as usize;
            let (node, rules) = (&graph.nodes[index], rules.as_deref_mut());
            dropped += with_elementwise!(node.op, O => self.ascend_elementwise::<O>(graph, index, rules), else {
                with_variadic!(node.op, O => self.ascend_variadic::<O>(graph, index, rules), else {
                    if node.is_alias() {
                        self.ascend_alias(index, node.links[0]);
                    }
                    0
                })
            });
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

    /// Each op has its own code.
    #[inline(never)]
    fn ascend_elementwise<O: Elementwise>(
        &mut self,
        graph: &Graph,
        index: usize,
        rules: Option<&mut Rules>,
    ) -> u64 {
        let node = &graph.nodes[index];
        let [a, b] = node.links.map(|link| link as usize);
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
        let mut row = self.begun(index);
        row.moves = row.moves.and(moves);
        let mut dropped = 0;
        let tangents = [left, right].map(|row| row.map(|row| row.tangents));
        let mut sum = |terms: [f64; K], weights: [f64; K]| {
            let Row { tangents, moves, .. } = &mut row;
            add(
                tangents,
                terms,
                |lane| weights[lane] != 0.0,
                |lane| {
                    moves.set(lane, Status::DROPPED.bits());
                    dropped += 1;
                },
            );
        };
        match rule {
            Rule::Silence => row.moves = row.moves.flagged(Status::MASKED),
            Rule::Classical => {
                for place in 0..O::ARITY.operands() {
                    if let Some(t) = tangents[place] {
                        sum(contributions(t, place, move |t| O::classical(t, x, y, z)), t);
                    }
                }
            }
            Rule::Bounded(bound) => {
                for place in 0..O::ARITY.operands() {
                    if let Some(t) = tangents[place] {
                        sum(contributions(t, place, move |t| O::bounded(t, x, y, z, bound)), t);
                    }
                }
                row.moves = row.moves.flagged(Status::SATURATED);
            }
        }
        self.rows[index] = row;
        dropped
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
