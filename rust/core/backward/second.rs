//! Second order: products of the Hessian, and derivatives forward.
//!
//! Three walks over what the root reaches, none of which recurses:
//!
//! ```text
//! reach.rs    down: what there is
//! forward.rs  up: tangents, and what leads to a source
//! reverse.rs  down: adjoints, and how they change
//! rows.rs     the columns that these work in, for one direction or several at once
//! lanes.rs    contributions for all of these directions
//! rules.rs    the rule that the mode gives a node, chosen while running
//! ```
//!
//! **What is differentiated** is the gradient Γ that the mode computes. Let node u have operands xⱼ and pass
//! `ḡ·pᵢ` to operand i, p classical or bounded. What first order silences or leaves out and the choice of a
//! rule are constants. With f the classical partials,
//!
//! * `J·v`, how Γ changes along v: tangents `ẋ` go up by f, and adjoints go down together with how they change,
//!   `ċᵢ = pᵢ·ṡ + Σⱼ ḡ·∂pᵢ/∂xⱼ·ẋⱼ`;
//! * `Jᵀ·v`, how `v·Γ` changes with each source: weights λ go up by p, and adjoints go down together with those
//!   of the values, `qⱼ = fⱼ·q + Σᵢ ḡ·λᵢ·∂pᵢ/∂xⱼ`.
//!
//! Where nothing is bounded and nothing masked both are the Hessian times v. A value that is not REAL does not
//! change: its tangent is 0, and the status says `MASKED`. A term that is not REAL is left out and counted,
//! unless one of its weights is 0.

mod forward;
mod lanes;
mod reach;
mod reverse;
mod rows;
mod rules;

use super::{Coordinate, PassCounts, Scratch};
use crate::error::Error;
use crate::graph::{Graph, Handle};
use crate::mode::{GradientMode, ModeState};
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;
use rows::LANES;
use rules::Rules;

pub(super) use rows::Rows;

/// Which product with the Jacobian J of a gradient. They differ where partials are bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Product {
    /// `J·v`, the derivative of the gradient along v.
    #[default]
    Jacobian,
    /// `Jᵀ·v`, the gradient of the gradient's product with v.
    Transposed,
}

/// A number and how it came about.
pub type Found = (TrScalar, Status);

/// What a second-order pass found, in the order of the sources: `None` for one that no path leads to.
#[derive(Clone, Debug, Default)]
pub struct SecondOrder {
    /// The gradient.
    pub gradient: Vec<Option<Found>>,
    /// The products, one list for each direction.
    pub products: Vec<Vec<Option<Found>>>,
    /// What was silenced and left out, for [`Statistics::add_pass`].
    pub counts: PassCounts,
}

/// What a pass is about.
#[derive(Clone, Copy)]
struct Pass<'a> {
    graph: &'a Graph,
    root: u32,
    seed: f64,
    sources: &'a [u32],
    product: Product,
    state: &'a ModeState,
}

impl Graph {
    /// The derivatives of some nodes along a direction, by the mode's own partials: what the gradients that the
    /// mode computes give, multiplied by the tangents. Returned are the derivatives in the order of the roots,
    /// and what was silenced and left out.
    ///
    /// # Errors
    /// [`Error::Tangents`] unless there is a tangent for each source, [`Error::Tangent`] for one that is not REAL.
    pub fn jvp(
        &self,
        roots: &[Handle],
        sources: &[Handle],
        tangents: &[f64],
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<(Vec<Found>, PassCounts), Error> {
        check(sources, tangents)?;
        let roots: Vec<u32> = roots.iter().map(|&root| self.node(root)).collect();
        let sources: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let (mut unasked, mut rows) = (Statistics::default(), std::mem::take(&mut scratch.second.one));
        let on_input = trace(self, &roots, state, scratch);
        rows.reach(self, &roots, &sources, &mut scratch.set);
        rows.seed(&sources, |place, _| tangents[place]);
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let mut rules = Rules::new(state, statistics.unwrap_or(&mut unasked), coordinates);
        let dropped = rows.ascend(self, Some(&mut rules));
        let found = roots.iter().map(|&root| rows.tangent(root, 0)).collect();
        let counts = PassCounts { dropped, masked: rules.masked };
        scratch.second.one = rows;
        Ok((found, counts))
    }

    /// The product of a direction with the Jacobian of the gradient of `root`, and the gradient. Leaves every
    /// node's own gradient alone. Counts the decisions of Hybrid mode once.
    ///
    /// `seed` is the root's adjoint.
    ///
    /// # Errors
    /// [`Error::Tangents`] unless the direction has a number for each source, [`Error::Tangent`] for one that is
    /// not REAL.
    #[expect(clippy::too_many_arguments, reason = "the parts of a pass")]
    pub fn hvp(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        direction: &[f64],
        product: Product,
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<SecondOrder, Error> {
        check(sources, direction)?;
        let sources: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let pass = Pass {
            graph: self,
            root: self.node(root),
            seed: seed.to_ieee(),
            sources: &sources,
            product,
            state,
        };
        let mut unasked = Statistics::default();
        let statistics = statistics.unwrap_or(&mut unasked);
        let on_input = trace(self, &[pass.root], state, scratch);
        let mut rows = std::mem::take(&mut scratch.second.one);
        rows.reach(self, &[pass.root], &sources, &mut scratch.set);
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let (found, _) = pass.run(&mut rows, 1, |place, _| direction[place], statistics, coordinates);
        scratch.second.one = rows;
        Ok(found)
    }

    /// The Jacobian of the gradient of `root` with respect to the sources, and the gradient: `products[j][i]` is
    /// how the gradient by source i changes with source j. Several columns are worked out in one go. Counts the
    /// decisions of Hybrid mode once.
    pub fn hessian(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> SecondOrder {
        let sources: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let (root, seed, product) = (self.node(root), seed.to_ieee(), Product::Jacobian);
        let pass = Pass { graph: self, root, seed, sources: &sources, product, state };
        let mut unasked = Statistics::default();
        let statistics = statistics.unwrap_or(&mut unasked);
        let mut again = statistics.silent();
        let on_input = trace(self, &[root], state, scratch);
        let mut rows = std::mem::take(&mut scratch.second.several);
        rows.reach(self, &[root], &sources, &mut scratch.set);
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let mut all = SecondOrder::default();
        for first in (0..sources.len().max(1)).step_by(LANES) {
            let counted = if first == 0 { &mut *statistics } else { &mut again };
            let lanes = (sources.len() - first).min(LANES);
            let direction = |place: usize, lane: usize| f64::from(u8::from(place == first + lane));
            let (found, dropped) = pass.run(&mut rows, lanes, direction, counted, coordinates);
            // What happened to the gradient is the same each time.
            if first == 0 {
                (all.gradient, all.counts) = (found.gradient, found.counts);
            } else {
                all.counts.dropped += dropped;
            }
            all.products.extend(found.products);
        }
        scratch.second.several = rows;
        all
    }
}

/// Follows the inputs up, for Hybrid mode; whether there is one.
fn trace(graph: &Graph, roots: &[u32], state: &ModeState, scratch: &mut Scratch) -> bool {
    scratch.trim(graph.len());
    scratch.set.grow(graph.len());
    let mut on_input = false;
    if state.mode == GradientMode::Hybrid {
        for &root in roots {
            on_input |= !scratch.trace_coordinates(graph, root, state).is_empty();
        }
    }
    on_input
}

fn check(sources: &[Handle], tangents: &[f64]) -> Result<(), Error> {
    if sources.len() != tangents.len() {
        return Err(Error::Tangents { wanted: sources.len(), given: tangents.len() });
    }
    tangents.iter().find(|t| !t.is_finite()).map_or(Ok(()), |&t| Err(Error::Tangent(t)))
}

impl Pass<'_> {
    /// What was found, and how many terms of second order were left out.
    fn run<const K: usize>(
        &self,
        rows: &mut Rows<K>,
        lanes: usize,
        direction: impl Fn(usize, usize) -> f64,
        statistics: &mut Statistics,
        coordinates: &[Coordinate],
    ) -> (SecondOrder, u64) {
        let Self { graph, sources, product, state, .. } = *self;
        rows.seed(sources, direction);
        let mut dropped = match product {
            Product::Jacobian => rows.ascend(graph, None),
            Product::Transposed => {
                let mut silent = statistics.silent();
                rows.ascend(graph, Some(&mut Rules::new(state, &mut silent, coordinates)))
            }
        };
        let mut rules = Rules::new(state, statistics, coordinates);
        dropped += rows.descend(self, &mut rules);
        let found = SecondOrder {
            gradient: sources.iter().map(|&source| rows.gradient(source)).collect(),
            products: (0..lanes)
                .map(|lane| sources.iter().map(|&source| rows.product(source, lane)).collect())
                .collect(),
            counts: PassCounts { dropped: rules.dropped + dropped, masked: rules.masked },
        };
        (found, dropped)
    }
}

/// The columns of second-order passes, kept between them for their memory.
#[derive(Debug, Default)]
pub(super) struct SecondScratch {
    one: Rows<1>,
    several: Rows<LANES>,
}

impl SecondScratch {
    pub(super) fn trim(&mut self, nodes: usize) {
        self.one.trim(nodes);
        self.several.trim(nodes);
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.one.allocated_bytes() + self.several.allocated_bytes()
    }
}
