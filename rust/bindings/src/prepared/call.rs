//! One call that was prepared.

use super::arrays::{Arrays, Described, Expected, Leaf, Results};
use super::trees::Tree;
use crate::batch::BatchPlan;
use crate::batch::arrays::refuse_overlaps;
use crate::values::TRScalar;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroproof::batch::{Input, are_finite};

/// When something was last used.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct LastUse(AtomicU64);

#[pymethods]
impl LastUse {
    #[new]
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Says that it is used now.
    pub(super) fn renew(&self) {
        static USES: AtomicU64 = AtomicU64::new(0);
        self.0.store(USES.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The greater, the later; 0 if it was never used.
    #[getter]
    fn number(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The direction of a derivative: numbers for some arguments.
struct Direction {
    /// One for each item, or for the one that is given by itself.
    items: Vec<Tree>,
    is_single: bool,
    /// By leaf: that of the arguments which it belongs to.
    leaves: Vec<usize>,
}

/// What is asked of a batched function, for arguments of one kind.
#[pyclass(frozen, module = "zeroproof._native")]
pub(crate) struct PreparedCall {
    plan: Py<BatchPlan>,
    pub(super) last_use: Py<LastUse>,
    arguments: Vec<Tree>,
    inputs: Vec<Expected>,
    direction: Option<Direction>,
    /// Whether the total of the values is returned.
    has_total: bool,
    values: Option<Results>,
    derivatives: Option<Results>,
    /// Whether no argument has samples.
    is_single: bool,
}

fn trees(described: &[Bound<'_, PyAny>]) -> PyResult<Vec<Tree>> {
    described.iter().map(Tree::of).collect()
}

fn results(described: Option<(Bound<'_, PyAny>, Vec<Described>)>) -> PyResult<Option<Results>> {
    let results = |(tree, arrays)| Ok(Results { tree: Tree::of(&tree)?, arrays: Expected::all(arrays)? });
    described.map(results).transpose()
}

#[pymethods]
impl PreparedCall {
    /// A structure is None for an array, else ``(list, items)``, ``(tuple, items)`` or ``(dict, pairs)``; an array
    /// is ``(shape, has_samples)``, the shape without the axis of samples.
    ///
    /// Args:
    ///     plan: what is run.
    ///     last_use: that of the traced function.
    ///     arguments: the structure of each.
    ///     inputs: the arrays in them.
    ///     direction: None, or the structure of each item, whether there is but one item, which is given by
    ///         itself, and by array the number of the input that it belongs to.
    ///     has_total: whether the total of the values is returned.
    ///     values: the structure of the values and their arrays; None if there are none.
    ///     derivatives: the same for derivatives.
    #[expect(clippy::too_many_arguments, reason = "the parts of a call, each of its own kind")]
    #[new]
    #[pyo3(signature = (plan, last_use, arguments, inputs, direction, has_total, values, derivatives))]
    fn new(
        plan: Py<BatchPlan>,
        last_use: Py<LastUse>,
        arguments: Vec<Bound<'_, PyAny>>,
        inputs: Vec<Described>,
        direction: Option<(Vec<Bound<'_, PyAny>>, bool, Vec<usize>)>,
        has_total: bool,
        values: Option<(Bound<'_, PyAny>, Vec<Described>)>,
        derivatives: Option<(Bound<'_, PyAny>, Vec<Described>)>,
    ) -> PyResult<Self> {
        let inputs = Expected::all(inputs)?;
        let direction = match direction {
            None => None,
            Some((items, is_single, leaves)) => Some(Direction { items: trees(&items)?, is_single, leaves }),
        };
        Ok(Self {
            arguments: trees(&arguments)?,
            is_single: !inputs.iter().any(|input| input.has_samples),
            inputs,
            direction,
            has_total,
            values: results(values)?,
            derivatives: results(derivatives)?,
            plan,
            last_use,
        })
    }
}

/// The arguments of a call that was recognised.
pub(super) struct Arguments<'py> {
    samples: usize,
    /// Those of the arguments, then those of the direction.
    leaves: Vec<Leaf<'py>>,
}

impl PreparedCall {
    /// The arguments and the direction, if they are of this kind.
    pub(super) fn recognised<'py>(
        &self,
        arrays: &Arrays<'_, 'py>,
        args: &Bound<'py, PyTuple>,
        direction: &Bound<'py, PyAny>,
    ) -> Option<Arguments<'py>> {
        if args.len() != self.arguments.len() {
            return None;
        }
        let directed = self.direction.as_ref().map_or(&[][..], |direction| &direction.leaves);
        let mut expected = self.inputs.iter().chain(directed.iter().map(|&leaf| &self.inputs[leaf]));
        let mut samples = self.is_single.then_some(1);
        let mut leaves = Vec::with_capacity(self.inputs.len() + directed.len());
        let mut fits = |tree: &Tree, argument: &Bound<'py, PyAny>| {
            // In a list, a number might be an item or an element of the array that the list stands for.
            let takes_numbers = tree.is_leaf();
            tree.visit(argument, false, &mut |leaf| {
                let expected = expected.next();
                let leaf = expected.and_then(|array| arrays.leaf(leaf, array, takes_numbers, &mut samples));
                leaf.map(|leaf| leaves.push(leaf)).is_some()
            })
        };
        let mut pairs = self.arguments.iter().zip(args.iter_borrowed());
        if !pairs.all(|(tree, argument)| fits(tree, &argument)) {
            return None;
        }
        if let Some(own) = &self.direction {
            let is_of_this_kind = if own.is_single {
                fits(&own.items[0], direction)
            } else {
                let items = items_of(direction, own.items.len())?;
                own.items.iter().zip(&items).all(|(tree, item)| fits(tree, item))
            };
            if !is_of_this_kind {
                return None;
            }
        }
        Some(Arguments { samples: samples?, leaves })
    }

    /// Carries the call out; `None` if something is to be looked at in Python.
    pub(super) fn run<'py>(
        &self,
        arrays: &Arrays<'_, 'py>,
        args: &Arguments<'py>,
        with_status: bool,
        out: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, samples) = (arrays.py, args.samples);
        let axis = (!self.is_single).then_some(samples);
        let nothing = py.None().into_bound(py);
        let (of_values, of_derivatives) = match (&self.values, &self.derivatives) {
            (Some(_), None) => (out.clone(), nothing.clone()),
            (None, _) => (nothing.clone(), out.clone()),
            _ if out.is_none() => (nothing.clone(), nothing.clone()),
            _ => match items_of(out, 2).as_deref() {
                Some([of_values, of_derivatives]) => (of_values.clone(), of_derivatives.clone()),
                _ => return Ok(None),
            },
        };
        let with_flags = self.derivatives.as_ref().filter(|_| with_status);
        let (Some(values), Some(derivatives), Some(statuses)) = (
            arrays.results::<f64>(self.values.as_ref(), axis, &of_values)?,
            arrays.results::<f64>(self.derivatives.as_ref(), axis, &of_derivatives)?,
            arrays.results::<u8>(with_flags, axis, &nothing)?,
        ) else {
            return Ok(None);
        };

        // Python code may have run meanwhile, such as a finalizer, and given an array another shape.
        let directed = self.direction.as_ref().map_or(&[][..], |direction| &direction.leaves);
        let expected = self.inputs.iter().chain(directed.iter().map(|&leaf| &self.inputs[leaf]));
        let mut inputs = Vec::with_capacity(args.leaves.len());
        for (leaf, expected) in args.leaves.iter().zip(expected) {
            // SAFETY: that nobody writes to the array meanwhile is what the caller of `tr_vmap` is asked for, as by
            // all functions that work on NumPy arrays without the GIL.
            let Some(input) = (unsafe { arrays.input(leaf, expected, samples) }) else { return Ok(None) };
            inputs.push(input);
        }
        if !inputs[self.inputs.len()..].iter().all(|input| are_finite(numbers(input))) {
            return Ok(None);
        }
        if !out.is_none() {
            let read = inputs.iter().map(|input| {
                let Range { start, end } = numbers(input).as_ptr_range();
                start as usize..end as usize
            });
            let written = values.iter().chain(&derivatives).map(|array| arrays.range(array));
            if refuse_overlaps(read, written).is_err() {
                return Ok(None);
            }
        }
        // SAFETY: the arrays are new, or were just seen to share memory with nothing, and are alive. That nobody else
        // reads or writes those of `out` meanwhile is what the caller is asked for.
        let (into_values, into_derivatives, into_statuses) =
            unsafe { (arrays.slices(&values), arrays.slices(&derivatives), arrays.slices(&statuses)) };
        let plan = self.plan.get();
        let (total, _, _) =
            plan.run_into(py, samples, threads, &inputs, into_values, into_derivatives, into_statuses)?;

        let mut parts = Vec::with_capacity(3);
        if let Some(total) = total.filter(|_| self.has_total) {
            parts.push(TRScalar::from(total).into_pyobject(py)?);
        }
        if let Some(results) = &self.values {
            let mut own = values.iter();
            let mut next = || arrays.wrapped(own.next().expect("an array for each leaf"));
            parts.push(results.tree.filled(py, &mut next)?);
        }
        for (results, own) in [(self.derivatives.as_ref(), derivatives), (with_flags, statuses)] {
            let Some(results) = results else { continue };
            let mut own = own.into_iter();
            parts.push(results.tree.filled(py, &mut || Ok(own.next().expect("an array for each leaf")))?);
        }
        if parts.len() == 1 { Ok(parts.pop()) } else { Ok(Some(PyTuple::new(py, parts)?.into_any())) }
    }
}

fn numbers<'a>(input: &Input<'a>) -> &'a [f64] {
    match *input {
        Input::Shared(numbers) | Input::PerSample(numbers) => numbers,
    }
}

/// The items of a tuple or list of so many.
fn items_of<'py>(object: &Bound<'py, PyAny>, count: usize) -> Option<Vec<Bound<'py, PyAny>>> {
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        return (tuple.len() == count).then(|| tuple.iter().collect());
    }
    let list = object.cast_exact::<PyList>().ok()?;
    (list.len() == count).then(|| list.iter().collect())
}
