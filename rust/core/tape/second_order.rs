//! Derivatives forward and second derivatives of variables.

use super::{Arena, Tape, Var, with_scratch};
use crate::backward::Gradient;
use crate::backward::second::{Product, SecondOrder};
use crate::error::Error;
use crate::mode::ModeState;
use crate::stats::Statistics;

/// Variables and a direction, and how to differentiate along it.
///
/// ```
/// use zeroproof::{Tape, tape::Along};
///
/// let tape = Tape::new();
/// let (x, y) = (tape.parameter(2.0), tape.parameter(3.0));
/// let f = &x * &x * &y;
/// let products = tape.hvp(&f, &Along::new(&[&x, &y], &[1.0, 0.0]))?;
/// let numbers: Vec<f64> = products.iter().map(|found| found.unwrap().0.to_ieee()).collect();
/// assert_eq!(numbers, [6.0, 4.0]); // the first column of the Hessian
/// # Ok::<(), zeroproof::Error>(())
/// ```
#[derive(Debug)]
pub struct Along<'a, 't, A: Arena = std::cell::RefCell<crate::graph::Graph>> {
    /// The variables.
    pub variables: &'a [&'a Var<'t, A>],
    /// A number for each of them.
    pub direction: &'a [f64],
    /// The mode.
    pub state: ModeState,
    /// Which product with the Jacobian of the gradient.
    pub product: Product,
}

impl<'a, 't, A: Arena> Along<'a, 't, A> {
    /// In Mask-REAL mode, `J·v`.
    pub fn new(variables: &'a [&'a Var<'t, A>], direction: &'a [f64]) -> Self {
        Self { variables, direction, state: ModeState::default(), product: Product::default() }
    }

    /// The same in another mode.
    pub fn in_mode(self, state: ModeState) -> Self {
        Self { state, ..self }
    }

    /// `Jᵀ·v` instead.
    pub fn transposed(self) -> Self {
        Self { product: Product::Transposed, ..self }
    }

    fn handles(&self, tape: &Tape<A>) -> Vec<crate::graph::Handle> {
        handles(self.variables, tape)
    }
}

fn handles<A: Arena>(variables: &[&Var<'_, A>], tape: &Tape<A>) -> Vec<crate::graph::Handle> {
    variables.iter().for_each(|v| v.assert_on(tape));
    variables.iter().map(|v| v.handle).collect()
}

impl<A: Arena> Tape<A> {
    /// The derivatives of some variables along a direction, by the partials of the mode, each with its status.
    ///
    /// # Errors
    /// [`Error::Tangents`] and [`Error::Tangent`] for a direction that does not fit or is not REAL.
    pub fn jvp(&self, roots: &[&Var<'_, A>], along: &Along<'_, '_, A>) -> Result<Vec<Gradient>, Error> {
        let (roots, sources) = (handles(roots, self), along.handles(self));
        let Along { direction, state, .. } = along;
        with_scratch(|scratch| self.graph().jvp(&roots, &sources, direction, state, None, scratch))
            .map(|(found, _)| found)
    }

    /// The product of a direction with the Jacobian of the gradient of `root`: a Hessian-vector product.
    /// Entries are in the order of the variables, each with its status, `None` for one that no path leads to.
    ///
    /// # Errors
    /// [`Error::Tangents`] and [`Error::Tangent`] for a direction that does not fit or is not REAL.
    pub fn hvp(&self, root: &Var<'_, A>, along: &Along<'_, '_, A>) -> Result<Vec<Option<Gradient>>, Error> {
        let found = self.hvp_with(root, 1.0, along, &mut Statistics::default())?;
        Ok(found.products.into_iter().next().unwrap_or_default())
    }

    /// [`hvp`](Self::hvp) with the root adjoint `seed`, with the gradient, counted in `statistics`.
    ///
    /// # Errors
    /// [`Error::Tangents`] and [`Error::Tangent`] for a direction that does not fit or is not REAL.
    pub fn hvp_with(
        &self,
        root: &Var<'_, A>,
        seed: f64,
        along: &Along<'_, '_, A>,
        statistics: &mut Statistics,
    ) -> Result<SecondOrder, Error> {
        root.assert_on(self);
        let sources = along.handles(self);
        let Along { direction, state, product, .. } = along;
        let found = with_scratch(|scratch| {
            let (graph, seed) = (self.graph(), seed.into());
            graph.hvp(root.handle, seed, &sources, direction, *product, state, Some(statistics), scratch)
        })?;
        statistics.add_pass(found.counts);
        Ok(found)
    }

    /// The Jacobian of the gradient of `root`, and the gradient: `products[j][i]` says how the gradient by
    /// variable i changes with variable j.
    ///
    /// # Errors
    /// [`Error::SecondDerivative`] if `root` was computed from a gradient.
    pub fn hessian(
        &self,
        root: &Var<'_, A>,
        variables: &[&Var<'_, A>],
        state: &ModeState,
        statistics: &mut Statistics,
    ) -> Result<SecondOrder, Error> {
        root.assert_on(self);
        let sources = handles(variables, self);
        let found = with_scratch(|scratch| {
            let graph = self.graph();
            graph.hessian(root.handle, 1.0.into(), &sources, state, Some(statistics), scratch)
        })?;
        statistics.add_pass(found.counts);
        Ok(found)
    }

    /// The gradients of `root` as variables of the tape, which can be differentiated once more: `None` for a
    /// variable that no path leads to. One backward pass through all of them costs a few gradients. A gradient
    /// of what was itself computed from one of them has no derivative, and asking for it is an error.
    ///
    /// ```
    /// use zeroproof::{ModeState, Statistics, Tape};
    ///
    /// let tape = Tape::new();
    /// let (x, state, mut statistics) = (tape.parameter(2.0), ModeState::default(), Statistics::default());
    /// let cube = &x * &x * &x;
    /// let slope = tape.differentiable_gradients(&cube, &[&x], &state, &mut statistics)?.remove(0).unwrap();
    /// slope.backward()?;
    /// assert_eq!(x.gradient().unwrap().to_ieee(), 12.0); // the second derivative
    /// # Ok::<(), zeroproof::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::SecondDerivative`] if `root` was computed from a gradient of a gradient.
    pub fn differentiable_gradients(
        &self,
        root: &Var<'_, A>,
        variables: &[&Var<'_, A>],
        state: &ModeState,
        statistics: &mut Statistics,
    ) -> Result<Vec<Option<Var<'_, A>>>, Error> {
        root.assert_on(self);
        let sources = handles(variables, self);
        let pass = (state, statistics.saturates());
        let handles = with_scratch(|scratch| {
            let (mut graph, seed) = (self.graph(), 1.0.into());
            let (found, counts) =
                graph.gradients_of(root.handle, seed, &sources, state, Some(statistics), scratch)?;
            statistics.add_pass(counts);
            graph.record_gradients(root.handle, seed, &sources, &found, pass, scratch)
        })?;
        Ok(handles.into_iter().map(|handle| handle.map(|handle| self.var(handle))).collect())
    }
}
