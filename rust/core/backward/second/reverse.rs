//! The third walk, downward: adjoints, and how they change with the direction; or adjoints of values.

use super::super::policies::Rule;
use super::lanes::{are_finite, contributions, each};
use super::rows::{Nibbles, Row, Rows, flag};
use super::rules::Rules;
use crate::graph::{Graph, Operands};
use crate::op::curvature::{Coupled, Curved, CurvedVariadic, Entries, Wide, term, term_fast, wide_term};
use crate::op::{Arity, Form, Variadic};
use crate::status::Status;

const NO_ENTRIES: Coupled = [false; 4];

/// How the sweep goes.
struct Way<'a> {
    graph: &'a Graph,
    transposed: bool,
    /// Whether there may be aliases below.
    aliases: bool,
}

/// What arrived at a node.
#[derive(Clone, Copy)]
struct Arrived<const K: usize> {
    g: f64,
    /// The flags of the adjoint.
    first: u8,
    second: [f64; K],
    status: Nibbles,
}

impl<const K: usize> Arrived<K> {
    #[inline(always)]
    fn at(row: &Row<K>) -> Self {
        Self {
            g: if row.mark & flag::RECEIVED != 0 { row.adjoint } else { 0.0 },
            first: row.mark & flag::STATUS,
            second: row.second,
            status: row.status,
        }
    }
}

/// The entries of a node: in fast form, unless there are wide ones.
struct Matrix {
    fast: [f64; 4],
    wide: Option<[Wide; 4]>,
}

impl Matrix {
    const NONE: Self = Self { fast: [0.0; 4], wide: None };

    #[inline(always)]
    fn of<E: Entries>(is_real: bool, entries: impl FnOnce() -> E) -> Self {
        if !is_real {
            return Self::NONE; // an operand that is not REAL is a constant
        }
        let entries = entries();
        let (fast, holds) = entries.fast();
        Self { fast, wide: if holds { None } else { Some(entries.wide()) } }
    }

    /// `g·t·m` for each tangent.
    #[inline(always)]
    fn terms<const K: usize>(&self, g: f64, tangents: [f64; K], entry: usize) -> [f64; K] {
        if let Some(wide) = &self.wide {
            return each(tangents, |t| wide_term(g, t, wide[entry]));
        }
        let m = self.fast[entry];
        let (mut found, mut all_hold) = ([0.0; K], true);
        for lane in 0..K {
            let (term, holds) = term_fast(g, tangents[lane], m);
            found[lane] = term;
            all_hold &= holds;
        }
        if all_hold { found } else { each(tangents, |t| term(g, t, m)) }
    }
}

/// A node's operands: where they are, their values and that of the node, and tangents if they lead to a source.
struct Inputs<const K: usize> {
    links: [usize; 2],
    values: [f64; 3],
    moving: [Option<([f64; K], Nibbles)>; 2],
}

/// What a node passes to its operands.
struct Passed<'m, const K: usize> {
    /// By operand: the contribution to its adjoint, and those of second order by the change of the node's own.
    given: [f64; 2],
    second: [[f64; K]; 2],
    /// Those of its partials, and which entries there are.
    matrix: &'m Matrix,
    couples: Coupled,
    transposed: bool,
}

impl<const K: usize> Rows<K> {
    /// Sweeps. Returns how many terms of second order were left out.
    pub(super) fn descend(
        &mut self,
        graph: &Graph,
        (root, seed): (u32, f64),
        transposed: bool,
        rules: &mut Rules,
    ) -> u64 {
        rules.dropped += self.start(root, seed);
        let mut dropped = 0;
        let way = Way { graph, transposed, aliases: graph.may_lead_to_alias(root) };
        for place in 0..self.reached.len() {
            let index = self.reached[place] as usize;
            let row = &self.rows[index];
            if row.pass != self.pass || row.mark & (flag::REACHED | flag::BOUNDARY) != flag::REACHED {
                continue;
            }
            let before = rules.dropped;
            let left_out = with_elementwise!(graph.nodes[index].op, O => {
                self.descend_elementwise::<O>(&way, index, rules)
            }, else {
                with_variadic!(graph.nodes[index].op, O => self.descend_variadic::<O>(&way, index, rules), else {
                    if graph.nodes[index].is_alias() {
                        self.hand_down(index);
                    }
                    0
                })
            });
            let of_first = if self.repeats { 0 } else { rules.dropped - before };
            self.leaves_out(index, of_first + left_out);
            dropped += left_out;
        }
        dropped
    }

    /// What was summed at an alias that is a source goes on to what lies below, as from an addition.
    #[cold]
    fn hand_down(&mut self, index: usize) {
        let at = Arrived::at(&self.rows[index]);
        let received = self.rows[index].mark & flag::RECEIVED;
        let Some(below) = self.rows[index].target.checked_sub(1) else { return };
        let row = &mut self.rows[below as usize];
        row.mark |= flag::REACHED | at.first | received;
        if received != 0 {
            row.adjoint += at.g;
        }
        for lane in 0..K {
            row.second[lane] += at.second[lane];
        }
        row.status = row.status.and(at.status);
    }

    /// The root's adjoint is its first contribution.
    fn start(&mut self, root: u32, seed: f64) -> u64 {
        let now = self.pass;
        let root = self.goes_to(root as usize);
        let Some(row) = self.rows.get_mut(root).filter(|row| row.pass == now) else { return 0 };
        row.mark |= flag::REACHED;
        if seed.is_finite() {
            row.adjoint = seed;
            row.mark |= flag::RECEIVED;
            return 0;
        }
        row.mark |= Status::DROPPED.bits();
        if self.repeats { 1 } else { self.leaves_out(root, 1) }
    }

    /// A function for each op: one of all ops takes several times as long to compile.
    #[inline(never)]
    fn descend_elementwise<O: Curved>(&mut self, way: &Way, index: usize, rules: &mut Rules) -> u64 {
        let &Way { graph, transposed, aliases } = way;
        let (node, at) = (&graph.nodes[index], Arrived::at(&self.rows[index]));
        let [a, b] = [node.links[0] as usize, node.links[1] as usize];
        let y = match O::ARITY {
            Arity::Binary => graph.nodes[b].value,
            Arity::Power => f64::from(b as i32),
            _ => 0.0,
        };
        let (x, z) = (graph.nodes[a].value, node.value);
        let is_real = x.is_finite() && y.is_finite();
        let moving = |row: &Row<K>| (row.tangents, row.moves);
        let right = if O::ARITY == Arity::Binary { self.active(b).map(moving) } else { None };
        let links = if aliases { [self.goes_to(a), self.goes_to(b)] } else { [a, b] };
        let inputs = Inputs { links, values: [x, y, z], moving: [self.active(a).map(moving), right] };
        match rules.rule::<O>(index, x, y, z) {
            Rule::Silence => {
                rules.masked += 1;
                let moving = [inputs.moving[0].is_some(), inputs.moving[1].is_some()];
                self.silence(index, inputs.links, moving);
                0
            }
            Rule::Bounded(bound) if const { O::POLE.is_some() } => {
                let matrix = Matrix::of(is_real, || O::bounded_curvature(x, y, z, bound));
                let saturated = Status::SATURATED.bits();
                let (first, status) = (at.first | saturated, at.status.and(Nibbles::each(saturated)));
                let partials = move |g: f64| O::bounded(g, x, y, z, bound);
                let of_value = move |g: f64| O::classical(g, x, y, z);
                let at = Arrived { first, status, ..at };
                self.pass_on::<O, _, _>(&inputs, at, transposed, partials, of_value, &matrix, rules)
            }
            Rule::Classical | Rule::Bounded(_) => {
                let matrix = if O::COUPLED == NO_ENTRIES {
                    Matrix::NONE
                } else {
                    Matrix::of(is_real, || O::curvature(x, y, z))
                };
                let partials = move |g: f64| O::classical(g, x, y, z);
                self.pass_on::<O, _, _>(&inputs, at, transposed, partials, partials, &matrix, rules)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn silence(&mut self, index: usize, links: [usize; 2], moving: [bool; 2]) {
        let at = Arrived::at(&self.rows[index]);
        for place in 0..2 {
            if moving[place] {
                self.rows[links[place]].mask(at);
            }
        }
    }

    /// What a node passes to its operands by `partials`, whose slopes are the matrix; `of_value` are the partials
    /// of its value.
    #[expect(clippy::too_many_arguments, reason = "the parts of a step")]
    #[inline(always)]
    fn pass_on<O: Curved, P: Form<[f64; 2]>, V: Form<[f64; 2]>>(
        &mut self,
        inputs: &Inputs<K>,
        at: Arrived<K>,
        transposed: bool,
        partials: impl Fn(f64) -> P + Copy,
        of_value: impl Fn(f64) -> V + Copy,
        matrix: &Matrix,
        rules: &mut Rules,
    ) -> u64 {
        let given = partials(at.g).full();
        let second =
            if transposed { contributions(at.second, of_value) } else { contributions(at.second, partials) };
        let passed = Passed { given, second, matrix, couples: O::COUPLED, transposed };
        let mut dropped = 0;
        if inputs.moving[0].is_some() {
            dropped += self.rows[inputs.links[0]].take(0, inputs, at, &passed, rules);
        }
        if O::ARITY.operands() == 2 && inputs.moving[1].is_some() {
            dropped += self.rows[inputs.links[1]].take(1, inputs, at, &passed, rules);
        }
        dropped
    }

    #[inline(never)]
    fn descend_variadic<O: Variadic + CurvedVariadic>(
        &mut self,
        way: &Way,
        index: usize,
        rules: &mut Rules,
    ) -> u64 {
        let &Way { graph, transposed, .. } = way;
        let (node, at) = (&graph.nodes[index], Arrived::at(&self.rows[index]));
        let Operands::List(inputs, mode) = node.operands(&graph.lists) else { return 0 };
        let values = inputs.iter().map(|&input| graph.nodes[input as usize].value);
        let silent = matches!(rules.rule_without_pole(node.value), Rule::Silence);
        rules.masked += u64::from(silent);
        let shared = O::shared(mode.kept(values.clone()), node.value);
        let (now, value_is_real) = (self.pass, node.value.is_finite());
        let mut dropped = 0;
        for (&input, x) in inputs.iter().zip(values.clone()) {
            let to = self.goes_to(input as usize);
            let row = &mut self.rows[to];
            if row.pass != now {
                continue;
            }
            if silent || !mode.keeps(x) {
                row.mask(at);
                continue;
            }
            let kept = row.receive(O::share(at.g, x, shared).full(), at);
            rules.dropped += u64::from(!kept && at.g != 0.0);
            let moves = if transposed { value_is_real && x.is_finite() } else { kept };
            row.status = row.status.and(at.status);
            if transposed && !moves {
                row.status = row.status.and(Nibbles::each(Status::MASKED.bits()));
            }
            for lane in 0..K {
                if moves {
                    let change = at.second[lane];
                    dropped += row.add(lane, O::share(change, x, shared).full(), change == 0.0);
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
                let row = self.active(input as usize).filter(|row| row.moves.get(lane) & flag::MOVES != 0);
                lists.inputs.push(x);
                lists.tangents.push(row.map_or(0.0, |row| row.tangents[lane]));
                moves |= row.map_or(0, |row| row.moves.get(lane));
                weighs |= row.is_some();
            }
            if !weighs {
                continue;
            }
            O::curvature(&lists.inputs, &lists.tangents, &mut lists.bends);
            let kept = inputs.iter().zip(values.clone()).filter(|(_, x)| mode.keeps(*x));
            for ((&input, x), &bend) in kept.zip(&lists.bends) {
                let to = self.goes_to(input as usize);
                let row = &mut self.rows[to];
                if row.pass != now {
                    continue;
                }
                row.status.set(lane, moves & flag::STATUS);
                let passes =
                    if transposed { x.is_finite() } else { O::share(at.g, x, shared).full().is_finite() };
                if passes {
                    dropped += row.add(lane, wide_term(at.g, 1.0, bend), at.g == 0.0);
                }
            }
        }
        self.lists = lists;
        dropped
    }
}

impl<const K: usize> Row<K> {
    /// What arrives at the operand at a place. One body for all ops.
    #[inline(never)]
    fn take(
        &mut self,
        place: usize,
        inputs: &Inputs<K>,
        at: Arrived<K>,
        passed: &Passed<K>,
        rules: &mut Rules,
    ) -> u64 {
        let &Passed { given, second, matrix, couples, transposed } = passed;
        let kept = self.receive(given[place], at);
        rules.dropped += u64::from(!kept && at.g != 0.0);
        self.status = self.status.and(at.status);
        // What first order left out is a constant, and so is a value that is not REAL.
        let operand_is_real = !transposed || inputs.values[place].is_finite();
        let moves = if transposed { operand_is_real && inputs.values[2].is_finite() } else { kept };
        if transposed && !moves {
            self.status = self.status.and(Nibbles::each(Status::MASKED.bits()));
        }
        let mut dropped = 0;
        if moves {
            dropped += self.add_all(second[place], at.second);
        }
        for by in 0..2 {
            let entry = if transposed { 2 * by + place } else { 2 * place + by };
            if couples[entry] {
                let kept = given[if transposed { by } else { place }].is_finite() && operand_is_real;
                dropped += self.bend(matrix, entry, at.g, &inputs.moving[by], kept);
            }
        }
        dropped
    }

    /// The terms of an entry of the matrix and an operand that moves; only its status if the contribution is not
    /// kept.
    #[inline]
    fn bend(
        &mut self,
        matrix: &Matrix,
        entry: usize,
        g: f64,
        moving: &Option<([f64; K], Nibbles)>,
        kept: bool,
    ) -> u64 {
        let Some((tangents, moves)) = moving else { return 0 };
        self.status = self.status.and(moves.statuses());
        if !kept {
            return 0;
        }
        let weights = if g == 0.0 { [0.0; K] } else { *tangents };
        self.add_all(matrix.terms(g, *tangents, entry), weights)
    }

    /// Adds terms of second order; how many that are not REAL, and have a weight, are left out.
    #[inline(always)]
    fn add_all(&mut self, terms: [f64; K], weights: [f64; K]) -> u64 {
        if are_finite(&terms) {
            for (sum, term) in self.second.iter_mut().zip(terms) {
                *sum += term;
            }
            return 0;
        }
        self.add_some(terms, weights)
    }

    #[cold]
    #[inline(never)]
    fn add_some(&mut self, terms: [f64; K], weights: [f64; K]) -> u64 {
        (0..K).map(|lane| self.add(lane, terms[lane], weights[lane] == 0.0)).sum()
    }

    /// A contribution to the adjoint, by the rules of first order; whether it was added.
    #[inline(always)]
    fn receive(&mut self, contribution: f64, at: Arrived<K>) -> bool {
        self.mark |= flag::REACHED | at.first;
        if contribution.is_finite() {
            self.adjoint += contribution;
            self.mark |= flag::RECEIVED;
            return true;
        }
        if at.g != 0.0 {
            self.mark |= Status::DROPPED.bits();
        }
        false
    }

    /// The row is reached, and gets nothing.
    fn mask(&mut self, at: Arrived<K>) {
        self.mark |= flag::REACHED | at.first | Status::MASKED.bits();
        self.status = self.status.and(at.status).and(Nibbles::each(Status::MASKED.bits()));
    }

    /// Adds a term of second order, if it is REAL; else 1 if it is left out although it has a weight.
    fn add(&mut self, lane: usize, term: f64, has_no_weight: bool) -> u64 {
        if term.is_finite() {
            self.second[lane] += term;
            return 0;
        }
        if has_no_weight {
            return 0;
        }
        self.status.set(lane, Status::DROPPED.bits());
        1
    }
}
