//! The second walk, upward: tangents, and what leads to a source.

use super::super::policies::Rule;
use super::rows::{Row, Rows, flag};
use super::rules::Rules;
use crate::graph::{Graph, Node, Operands};
use crate::op::{Arity, Elementwise, Form, Variadic};
use crate::status::Status;

/// Adds a term of a tangent, if it is REAL; else whether it is left out although its weight is not 0.
#[inline(always)]
fn add(sum: &mut f64, term: f64, weight: f64) -> bool {
    if term.is_finite() {
        *sum += term;
        false
    } else {
        weight != 0.0
    }
}

impl<const K: usize> Rows<K> {
    /// Works out tangents, by the classical partials or by those of a mode. Returns how many terms were left
    /// out.
    pub(super) fn ascend(&mut self, graph: &Graph, mut rules: Option<&mut Rules>) -> u64 {
        let mut dropped = 0;
        for place in (0..self.reached.len()).rev() {
            let index = self.reached[place] as usize;
            let node = graph.nodes[index];
            with_elementwise!(node.op, O => {
                dropped += self.ascend_elementwise::<O>(graph, index, &node, rules.as_deref_mut());
            }, else {
                with_variadic!(node.op, O => {
                    dropped += self.ascend_variadic::<O>(graph, index, &node, rules.as_deref_mut());
                }, else {})
            });
        }
        dropped
    }

    #[cfg_attr(debug_assertions, inline(never))]
    fn ascend_elementwise<O: Elementwise>(
        &mut self,
        graph: &Graph,
        index: usize,
        node: &Node,
        rules: Option<&mut Rules>,
    ) -> u64 {
        let [a, b] = node.links.map(|link| link as usize);
        let left = &self.rows[a];
        let right = if O::ARITY == Arity::Binary { &self.rows[b] } else { &const { Row::NEW } };
        let [left_is_active, right_is_active] = [left.is_active(), right.is_active()];
        if !(left_is_active | right_is_active) {
            return 0;
        }
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
        let mut dropped = 0;
        let (mut tangents, mut moves) = (self.rows[index].tangents, self.rows[index].moves);
        for lane in 0..K {
            moves[lane] |= (if left_is_active { left.moves[lane] } else { 0 })
                | (if right_is_active { right.moves[lane] } else { 0 });
            if moves[lane] & flag::MOVES == 0 {
                continue;
            }
            let weights = [left.tangents[lane], right.tangents[lane]];
            let sum = &mut tangents[lane];
            let mut left_out = [false; 2];
            match rule {
                Rule::Silence => moves[lane] |= Status::MASKED.bits(),
                Rule::Classical => {
                    let terms = |t: f64| O::classical(t, x, y, z).full();
                    if left_is_active {
                        left_out[0] = add(sum, terms(weights[0])[0], weights[0]);
                    }
                    if right_is_active {
                        left_out[1] = add(sum, terms(weights[1])[1], weights[1]);
                    }
                }
                Rule::Bounded(bound) => {
                    moves[lane] |= Status::SATURATED.bits();
                    let terms = |t: f64| O::bounded(t, x, y, z, bound).full();
                    if left_is_active {
                        left_out[0] = add(sum, terms(weights[0])[0], weights[0]);
                    }
                    if right_is_active {
                        left_out[1] = add(sum, terms(weights[1])[1], weights[1]);
                    }
                }
            }
            if left_out != [false; 2] {
                moves[lane] |= Status::DROPPED.bits();
                dropped += u64::from(left_out[0]) + u64::from(left_out[1]);
            }
        }
        let row = &mut self.rows[index];
        (row.tangents, row.moves) = (tangents, moves);
        row.mark |= flag::ACTIVE;
        dropped
    }

    #[inline(never)]
    fn ascend_variadic<O: Variadic>(
        &mut self,
        graph: &Graph,
        index: usize,
        node: &Node,
        rules: Option<&mut Rules>,
    ) -> u64 {
        let Operands::List(inputs, mode) = node.operands(&graph.lists) else { return 0 };
        if !inputs.iter().any(|&input| self.rows[input as usize].is_active()) {
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
        let mut row = self.rows[index];
        row.mark |= flag::ACTIVE;
        for (&input, x) in inputs.iter().zip(values) {
            let from = self.rows[input as usize];
            if !from.is_active() {
                continue;
            }
            for lane in 0..K {
                let moves = from.moves[lane];
                if moves & flag::MOVES == 0 {
                    continue;
                }
                row.moves[lane] |= moves;
                if matches!(rule, Rule::Silence) || !mode.keeps(x) {
                    row.moves[lane] |= Status::MASKED.bits();
                    continue;
                }
                let t = from.tangents[lane];
                if add(&mut row.tangents[lane], O::share(t, x, shared).full(), t) {
                    row.moves[lane] |= Status::DROPPED.bits();
                    dropped += 1;
                }
            }
        }
        self.rows[index] = row;
        dropped
    }
}
