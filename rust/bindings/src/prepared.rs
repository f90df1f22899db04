//! Calls of batched functions that were prepared when they were first made.
//!
//! What a call asks for is worked out in Python once, and kept here: the plan, the structures and shapes of the
//! arguments, and how the results are put together. A later call that is of the same kind in all of this is
//! recognised and carried out without Python. Nothing is kept of the mode, the policy, the schedule or the number
//! of threads, nor of whether native code is on: each call reads them. What is not recognised is left to Python,
//! which also has the words for what is wrong with it.

mod arrays;
mod call;
mod signature;
mod trees;

use crate::locks::lock;
use crate::numpy::Api;
use crate::origins::watched;
use arrays::Arrays;
use call::{LastUse, PreparedCall};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use signature::Setting;
use std::sync::{Arc, Mutex};

/// So many calls of a batched function are kept.
const MOST: usize = 16;

/// A call, and what tells it apart besides its arguments.
struct Kept {
    method: Setting,
    argnums: Setting,
    reduce: Setting,
    coordinate: Setting,
    call: Py<PreparedCall>,
}

impl Kept {
    /// Whether this is asked for.
    fn is(
        &self,
        method: &Bound<'_, PyAny>,
        argnums: &Bound<'_, PyAny>,
        reduce: &Bound<'_, PyAny>,
        coordinate: &Bound<'_, PyAny>,
    ) -> bool {
        self.argnums.is(argnums)
            && self.method.is(method)
            && self.reduce.is(reduce)
            && self.coordinate.is(coordinate)
    }
}

/// The calls of a batched function that were made lately. ``array_class`` is ``TRArray``.
#[pyclass(frozen, module = "zeroproof._native")]
struct PreparedCalls {
    class: Py<PyAny>,
    /// Those made last first. What is looked through is a copy: comparing objects may make others, whereupon Python
    /// code may run, which may come back for the list.
    calls: Mutex<Arc<Vec<Arc<Kept>>>>,
}

#[pymethods]
impl PreparedCalls {
    #[new]
    fn new(array_class: Py<PyAny>) -> Self {
        Self { class: array_class, calls: Mutex::default() }
    }

    /// Keeps a call, unless it is kept already for these settings; the one made longest ago goes if there are 16.
    /// Not if a setting is neither None, a bool, an int, a string nor a tuple of these.
    fn add(
        &self,
        method: &Bound<'_, PyAny>,
        argnums: &Bound<'_, PyAny>,
        reduce: &Bound<'_, PyAny>,
        coordinate: &Bound<'_, PyAny>,
        call: Py<PreparedCall>,
    ) {
        let known = lock(&self.calls).clone();
        if known.iter().any(|kept| kept.call.is(&call) && kept.is(method, argnums, reduce, coordinate)) {
            return;
        }
        drop(known);
        let settings = [method, argnums, reduce, coordinate].map(Setting::of);
        let [Some(method), Some(argnums), Some(reduce), Some(coordinate)] = settings else { return };
        let new = Arc::new(Kept { method, argnums, reduce, coordinate, call });
        let before = {
            let mut calls = lock(&self.calls);
            let others = calls.iter().take(MOST - 1).cloned();
            let now = Arc::new(std::iter::once(new).chain(others).collect());
            std::mem::replace(&mut *calls, now)
        };
        drop(before); // unlocked, since it may drop Python objects
    }

    /// Forgets the calls of a traced function.
    fn remove(&self, last_use: &Bound<'_, LastUse>) {
        let before = {
            let mut calls = lock(&self.calls);
            let others = calls.iter().filter(|kept| !kept.call.get().last_use.is(last_use)).cloned();
            let now = Arc::new(others.collect());
            std::mem::replace(&mut *calls, now)
        };
        drop(before); // unlocked, since it may drop Python objects
    }

    /// Carries out a call, if one of its kind was prepared and nobody watches.
    ///
    /// Args:
    ///     method, argnums, reduce, coordinate: as given to ``add``; a list of ``argnums`` may stand for a tuple.
    ///     args: the positional arguments.
    ///     direction: that of a derivative; None for all other calls.
    ///     with_status: whether statuses are returned.
    ///     out: where results go; None for new arrays.
    ///     threads: at least 1.
    ///
    /// Returns:
    ///     What the method returns; None if the call is to be looked at in Python.
    #[expect(clippy::too_many_arguments, reason = "the parts of a call, each of its own kind")]
    #[pyo3(signature = (method, args, argnums, reduce, coordinate, direction, with_status, out, threads, /))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        method: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        argnums: &Bound<'py, PyAny>,
        reduce: &Bound<'py, PyAny>,
        coordinate: &Bound<'py, PyAny>,
        direction: &Bound<'py, PyAny>,
        with_status: &Bound<'py, PyAny>,
        out: &Bound<'py, PyAny>,
        threads: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Shapes and containers are looked at twice: without the GIL another thread may change them in between.
        if cfg!(Py_GIL_DISABLED) {
            return Ok(None);
        }
        let Ok(with_status) = with_status.extract::<bool>() else { return Ok(None) };
        let Some(api) = Api::get(py).filter(|_| !watched()) else { return Ok(None) };
        let arrays = Arrays { py, api, class: self.class.bind(py) };
        let calls = lock(&self.calls).clone();
        let found = calls.iter().enumerate().find_map(|(place, kept)| {
            let is_asked_for = kept.is(method, argnums, reduce, coordinate);
            let args = is_asked_for.then(|| kept.call.get().recognised(&arrays, args, direction));
            args.flatten().map(|args| (place, kept.clone(), args))
        });
        drop(calls); // so that no copy is made to put it in another order
        let Some((place, kept, args)) = found else { return Ok(None) };
        kept.call.get().last_use.get().renew();
        if place > 0 {
            self.put_first(&kept);
        }
        kept.call.get().run(&arrays, &args, with_status, out, threads)
    }
}

impl PreparedCalls {
    /// Puts a call in front of the others, if it is still there.
    fn put_first(&self, call: &Arc<Kept>) {
        let mut calls = lock(&self.calls);
        if let Some(place) = calls.iter().position(|other| Arc::ptr_eq(other, call)) {
            Arc::make_mut(&mut calls)[..=place].rotate_right(1);
        }
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LastUse>()?;
    module.add_class::<PreparedCall>()?;
    module.add_class::<PreparedCalls>()
}
